"""Where the time of dfv's own training step goes: its parts alone, and what surrounds it."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from benchmarks import timing
from dfv.data.dataset import ImageSet
from dfv.data.pipeline import triplets
from dfv.model.decoded_pairs import DecodedPairs
from dfv.model.disentangler import Disentangler
from dfv.model.triplet_batch import Noise, read

Call = Callable[[], None]
Batch = dict[str, tf.Tensor]

NUM_IMAGES = 20_000


def measure(model: Disentangler, batch: Batch, rounds: int, calls: int) -> str:
    """A Markdown table of milliseconds and shares of the step. The parts' own sum leaves out losses and noise."""
    step = tf.function(model.train_step)
    batches = iter(_pipeline(model))
    cases: dict[str, Call] = {
        "whole step, one batch again and again": lambda: step(batch),
        "whole step, batches drawn from 20,000 images": lambda: step(next(batches)),
        "encoder, forward": _encoder(model, batch, backward=False),
        "encoder, forward and backward": _encoder(model, batch, backward=True),
        "decoder, forward": _decoder(model, batch, backward=False),
        "decoder, forward and backward": _decoder(model, batch, backward=True),
        "adversary, forward": _adversary(model, batch, backward=False),
        "adversary, forward and backward for both players": _adversary(model, batch, backward=True),
        "both optimizers": _optimizers(model),
        "calling an empty step from Python": _empty(batch),
        "input alone, as fast as it can": lambda: next(batches),
    }
    timings = timing.interleaved(cases, rounds, calls)
    whole = timing.median(timings[next(iter(cases))])
    rows = []
    for name, seconds in timings.items():
        part, walls = timing.median(seconds), [1e3 * one.wall for one in seconds]
        row = [name, f"{1e3 * part.wall:.2f}", timing.spread(walls), f"{part.wall / whole.wall:.1%}"]
        rows.append([*row, f"{1e3 * part.cpu:.2f}"])
    return timing.table(["part of dfv's step", "ms, median", "middle half", "share of the step", "CPU ms"], rows)


def _pipeline(model: Disentangler) -> tf.data.Dataset:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (NUM_IMAGES, *model.image_shape), np.uint8)
    identity = np.arange(NUM_IMAGES, dtype=np.int32) % model.label_sizes[0]
    attributes = {str(i): identity % size for i, size in enumerate(model.label_sizes[1:])}
    training = model.config.training
    return triplets(ImageSet(images, identity, attributes), batch_size=training.batch_size, seed=training.seed)


def _differentiated(compute: Callable[[], list], inputs: list[tf.Tensor], variables: list, backward: bool) -> Call:
    """Calls `compute`; if `backward`, every output has a gradient of ones, with respect to inputs and variables."""

    @tf.function
    def call() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = compute()
        return tape.gradient(outputs, [*inputs, *variables]) if backward else outputs

    return call


def _encoder(model: Disentangler, batch: Batch, backward: bool) -> Call:
    images, z_of = read(batch).images, model.active.num_z * model.config.training.batch_size
    compute = lambda: tf.nest.flatten(model.encoder(images, training=True, z_of=z_of))  # noqa: E731
    return _differentiated(compute, [], model.encoder.trainable_variables, backward)


def _decoder(model: Disentangler, batch: Batch, backward: bool) -> Call:
    triplet, num_triplets = read(batch), model.config.training.batch_size
    noise = Noise(model.config.training.seed, tf.constant(0, tf.int64), triplet, model.config.network.z_dim)
    s = tf.random.stateless_normal((3 * num_triplets, model.config.network.s_dim), (0, 0))
    z = tf.random.stateless_normal((model.active.num_z * num_triplets, model.config.network.z_dim), (0, 1))
    compute = lambda: list(model.decode_pairs(s, z, noise))  # noqa: E731
    return _differentiated(compute, [z, s], model.decoder.trainable_variables, backward)


def _adversary(model: Disentangler, batch: Batch, backward: bool) -> Call:
    """Real images, swaps and prior samples; the generator's gradient goes to the last two, its own to its weights."""
    triplet = read(batch)
    noise = Noise(model.config.training.seed, tf.constant(0, tf.int64), triplet, model.config.network.z_dim)
    variables, fakes = model.adversary.trainable_variables, [triplet.x1, triplet.x1_same]

    @tf.function
    def call() -> list[tf.Tensor]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(fakes)
            real, swap, prior = model.adversary_logits(triplet, DecodedPairs(None, None, *fakes), noise)
            fooled, own = [tf.nn.softplus(-swap), tf.nn.softplus(-prior)], [tf.nn.softplus(-real), tf.nn.softplus(swap)]
        if not backward:
            return fooled + own
        return tape.gradient(fooled, fakes) + [tf.convert_to_tensor(g) for g in tape.gradient(own, variables)]

    return call


def _optimizers(model: Disentangler) -> Call:
    players = [
        (model.generator_optimizer, model.generator_variables),
        (model.adversary_optimizer, model.adversary.trainable_variables),
    ]
    gradients = [[tf.fill(v.shape, 1e-3) for v in variables] for _, variables in players]

    @tf.function
    def call() -> None:
        for (optimizer, variables), values in zip(players, gradients, strict=True):
            optimizer.apply(values, variables)

    return call


def _empty(batch: Batch) -> Call:
    call = tf.function(lambda batch: tf.reduce_sum(batch["labels1"]))
    return lambda: call(batch)
