"""Triplets (x1, x1', x2) as a tf.data.Dataset: a function of (seed, step, position in the global batch)."""

import numbers
import weakref
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dfv.config.schema import ConfigError
from dfv.data.augmentation import augment
from dfv.data.dataset import ImageSet
from dfv.data.interpreter_exit import delay_exit
from dfv.data.triplet_sampler import TripletSampler

DRAW, AUGMENT = 1001, 1002  # stream numbers, different from those of the model's random numbers
LEAST = {"batch_size": 1, "first_step": 0, "augment_shift": 0}  # of the arguments that are limited below
PARALLEL_BATCHES = 2
PREFETCHED_BATCHES = 4


def triplets(
    image_set: ImageSet,
    *,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    x2_any_identity: bool = False,
    augment_shift: int = 0,
    augment_flip: bool = False,
    input_context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Returns an endless dataset of triplet batches, starting with that of step `first_step`.

    x1 is uniform over the images whose identity has at least 2, x1_same over the other images of that identity, x2
    over the images of other identities (of all identities if `x2_any_identity`). A batch is a dict of
      "x1", "x1_same", "x2": [B, H, W, C] uint8;
      "labels1" (of x1 and x1_same), "labels2": [B, 1 + A] int32, the identity, then each attribute.

    `batch_size` is the global batch size. Under a strategy,
      strategy.distribute_datasets_from_function(lambda context: triplets(..., input_context=context))
    gives replica r of R the rows r B to (r + 1) B of each step's global batch, B = batch_size / R: the global batch is
    the same for any number of replicas and workers. A worker's dataset yields the batches of its replicas in turn.

    Raises DataError if no triplet exists, ConfigError for arguments of other types and if R does not divide
    `batch_size`. An image that cannot be read surfaces as tf.errors.InvalidArgumentError with the DataError's text.
    """
    _check_arguments(image_set, batch_size=batch_size, seed=seed, first_step=first_step, augment_shift=augment_shift)
    share = _Share.of(batch_size, input_context or tf.distribute.InputContext())
    sampler = TripletSampler.of(image_set, x2_any_identity)

    @tf.autograph.experimental.do_not_convert  # conversion is not needed, and slow
    def batch(element: tf.Tensor) -> dict[str, tf.Tensor]:
        step, first_row = share.place(element)

        def own_draws(purpose: int, num: int) -> tf.Tensor:
            draws = _draws((batch_size, num), seed, purpose, step)[first_row:][: share.num_rows]
            return tf.ensure_shape(draws, (share.num_rows, num))

        images, labels1, labels2 = _sample(sampler, own_draws(DRAW, 3))
        if augment_shift or augment_flip:
            draws = tf.reshape(own_draws(AUGMENT, 9), (share.num_rows, 3, 3))
            draws = tf.reshape(tf.transpose(draws, (1, 0, 2)), (-1, 3))
            images = augment(images, draws, augment_shift, augment_flip)
        x1, x1_same, x2 = tf.split(images, 3)
        return {"x1": x1, "x1_same": x1_same, "x2": x2, "labels1": labels1, "labels2": labels2}

    elements = tf.data.Dataset.counter(first_step * share.num_replicas)
    return without_tuning(elements.map(batch, PARALLEL_BATCHES, deterministic=True).prefetch(PREFETCHED_BATCHES))


def without_tuning(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Without tf.data's tuning thread, for which deleting an iterator, also when a program exits, may wait a minute."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _check_arguments(image_set: ImageSet, **integers: int) -> None:
    if not isinstance(image_set, ImageSet):
        raise ConfigError(
            "triplets: expected an ImageSet, such as splits.train of dfv.load_data; received"
            f" {type(image_set).__name__}."
        )
    for name, value in integers.items():
        if not isinstance(value, numbers.Integral) or value < LEAST.get(name, value):
            expected = f"an integer of at least {LEAST[name]}" if name in LEAST else "an integer"
            raise ConfigError(f"triplets: {name}: expected {expected}; received {value!r}.")
    augment_shift = integers["augment_shift"]
    shortest = min(image_set.image_shape[:2])
    if augment_shift > shortest // 2:
        raise ConfigError(
            f"--augment_shift={augment_shift} pixels would shift images of {shortest} pixels out of view; expected at"
            f" most {shortest // 2}."
        )


class _Share(NamedTuple):
    """The rows of each global batch that one input pipeline gives to its replicas, an element of it to each."""

    first_replica: int
    num_replicas: int
    num_rows: int  # of a replica

    @classmethod
    def of(cls, batch_size: int, context: tf.distribute.InputContext) -> "_Share":
        if batch_size % context.num_replicas_in_sync:
            raise ConfigError(
                f"--batch_size={batch_size} cannot be shared equally by {context.num_replicas_in_sync} replicas;"
                " choose a multiple of their number."
            )
        num_replicas = context.num_replicas_in_sync // context.num_input_pipelines
        num_rows = batch_size // context.num_replicas_in_sync
        return cls(context.input_pipeline_id * num_replicas, num_replicas, num_rows)

    def place(self, element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns an element's step, and its first row in that step's global batch."""
        replica = self.first_replica + element % self.num_replicas
        return element // self.num_replicas, replica * self.num_rows


def _sample(sampler: TripletSampler, draws: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Calls TripletSampler.sample from the graph.

    TensorFlow never frees a function that was passed to numpy_function, so the function holds the images by a weak
    reference only. The dataset has to keep the sampler alive.
    """
    this, num = weakref.proxy(sampler), draws.shape[0]

    def sample(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        with delay_exit():
            return this.sample(values)

    images, labels1, labels2 = tf.numpy_function(sample, [draws], (tf.uint8, tf.int32, tf.int32), stateful=False)
    labels_shape = (num, sampler.labels.shape[1])
    images = tf.ensure_shape(images, (3 * num, *sampler.images.shape[1:]))
    return images, tf.ensure_shape(labels1, labels_shape), tf.ensure_shape(labels2, labels_shape)


def draws_of_step(batch_size: int, seed: int, step: tf.Tensor) -> tf.Tensor:
    """Returns random integers [B, 3] int64 for the triplets of a global batch; see `TripletSampler.choose`."""
    return _draws((batch_size, 3), seed, DRAW, step)


def _draws(shape: tuple[int, ...], seed: int, purpose: int, step: tf.Tensor) -> tf.Tensor:
    """Random integers over all of int64: remainders modulo up to 10^9 are uniform to 1 part in 10^10."""
    step_seed = tf.random.experimental.stateless_fold_in(tf.constant([seed, purpose], tf.int64), step, alg="philox")
    return tf.random.stateless_uniform(shape, step_seed, minval=None, maxval=None, dtype=tf.int64, alg="philox")
