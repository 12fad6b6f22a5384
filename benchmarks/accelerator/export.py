"""Exports a run's training step, from the draw of its triplets on, as StableHLO.

    python -m benchmarks.accelerator.export --flagfile=configs/mnist.flags --out=programs/mnist

Writes into OUT: step.bin and init.bin, StableHLO as portable artifacts; state.npz, the variables as they start, but for
the kernels that init.bin draws; data.npz, the training images and their index, or noise in their place with
--random_images; program.json, what is what; config.flags. Flags of dfv.main may follow.
"""

import argparse
import functools
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.noise import random_images
from dfv import data
from dfv.config.schema import Config, ConfigError
from dfv.data.dataset import DataError, ImageSet
from dfv.data.pipeline import draws_of_step
from dfv.data.triplet_sampler import TripletSampler
from dfv.main import parse_config
from dfv.model.codec import Codec
from dfv.model.disentangler import Disentangler
from dfv.training.checkpoints import all_variables
from dfv.training.run_flags import write_flags

Arrays = dict[str, np.ndarray]


def training_data(train: ImageSet, config: Config) -> Arrays:
    """What the step draws its triplets from: images [N, H, W, C] by identity, and the blocks of each."""
    source = TripletSampler.of(train, config.data.x2_any_identity)
    return {
        "images": source.images[source.order],
        "start": source.start,
        "count": source.count,
        "labels": source.labels,
        "num_paired": np.int64(source.num_paired),
    }


def triplets_of_step(config: Config, step: tf.Tensor, arrays: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The batch that `dfv.data.pipeline` gives for this step: `TripletSampler.choose` in TensorFlow operations."""
    r1, r1_same, r2 = tf.unstack(draws_of_step(config.training.batch_size, config.training.seed, step), axis=1)
    start, count, num_images = arrays["start"], arrays["count"], arrays["images"].shape[0]

    def block_of(places: tf.Tensor) -> tf.Tensor:
        return tf.searchsorted(start, places, side="right") - 1

    x1 = r1 % arrays["num_paired"]
    block1 = block_of(x1)
    start1, count1 = tf.gather(start, block1), tf.gather(count, block1)
    x1_same = start1 + (x1 - start1 + 1 + r1_same % (count1 - 1)) % count1
    if config.data.x2_any_identity:
        x2 = r2 % num_images
    else:
        other = r2 % (num_images - count1)
        x2 = tf.where(other < start1, other, other + count1)
    images = {name: tf.gather(arrays["images"], rows) for name, rows in (("x1", x1), ("x1_same", x1_same), ("x2", x2))}
    labels = {"labels1": tf.gather(arrays["labels"], block1), "labels2": tf.gather(arrays["labels"], block_of(x2))}
    return images | labels


def drawn_kernels(model: Disentangler) -> dict[int, Callable[[], tf.Tensor]]:
    """The variables that start at random, by their place among `all_variables`, and what draws each anew."""
    places = {id(variable): place for place, variable in enumerate(all_variables(model))}
    kernels = {}
    for layer in model._flatten_layers():
        if hasattr(layer, "kernel_initializer"):
            kernel = layer.kernel
            kernels[places[id(kernel)]] = functools.partial(layer.kernel_initializer, kernel.shape, kernel.dtype)
    return kernels


def compiled_step(
    config: Config, train: ImageSet, label_sizes: tuple[int, ...]
) -> tuple[Disentangler, list[tf.Variable], Any]:
    """A fresh model, its variables, and a function of `training_data` that takes it one step on."""
    model = Disentangler(config, train.image_shape, label_sizes)
    model.compile()

    @tf.function(autograph=False, jit_compile=True)
    def step(arrays: dict[str, tf.Tensor]) -> tf.Tensor:
        number = tf.identity(model.generator_optimizer.iterations.value)
        model.train_step(triplets_of_step(config, tf.cast(number, tf.int64), arrays))
        return number + 1

    return model, [variable.value for variable in [*all_variables(model), *model.means.variables]], step


def export(config: Config, train: ImageSet, label_sizes: tuple[int, ...], out: Path) -> None:
    """Writes the program of this run into a folder; raises ConfigError for what it cannot draw."""
    if config.data.augment_shift or config.data.augment_flip:
        raise ConfigError("expected no augmentation; the exported step does not draw it. Leave out --augment_*.")
    if config.training.pretrain_s_steps:
        raise ConfigError("expected --pretrain_s_steps=0; the steps before the first are not exported.")
    model, variables, step = compiled_step(config, train, label_sizes)
    arrays = training_data(train, config)
    tensors = {name: tf.constant(value) for name, value in arrays.items()}
    state = _captured(step.get_concrete_function(tensors), variables)
    kernels = {place: draw for place, draw in drawn_kernels(model).items() if place in state}
    init = tf.function(lambda: [draw() for draw in kernels.values()], autograph=False, jit_compile=True)
    program_of_step = step.experimental_get_compiler_ir(tensors)
    out.mkdir(parents=True, exist_ok=True)
    (out / "step.bin").write_bytes(program_of_step(stage="stablehlo_serialized"))
    (out / "init.bin").write_bytes(init.experimental_get_compiler_ir()(stage="stablehlo_serialized"))
    start = {str(p): (np.zeros_like if p in kernels else np.copy)(variables[p].numpy()) for p in state}
    np.savez_compressed(out / "state.npz", **start)
    np.savez_compressed(out / "data.npz", **arrays)
    program = {
        "data": sorted(arrays),  # the order of the step's arguments; after them the state
        "state": state,
        "outputs": _outputs(program_of_step(stage="stablehlo"), len(arrays)),
        "init": list(kernels),
        "weights": _weights(model, variables, state),
        "terms": model.means.names,
        "means": [state.index(len(variables) - 2), state.index(len(variables) - 1)],  # their sums and their number
        "num_steps": config.training.num_steps,
        "batch_size": config.training.batch_size,
    }
    (out / "program.json").write_text(json.dumps(program))
    write_flags(out, config)


def trained(model: Codec) -> list[keras.Variable]:
    """The weights of encoder and decoder; those of the latent transform are fitted afterwards."""
    return [*model.encoder.variables, *model.decoder.variables]


def _captured(concrete: tf.types.experimental.ConcreteFunction, variables: list[tf.Variable]) -> list[int]:
    """The variables that a function takes after its arguments, by their place in the list."""
    places = {id(variable.handle): place for place, variable in enumerate(variables)}
    return [places[id(handle)] for handle in concrete.captured_inputs]


def _weights(model: Disentangler, variables: list[tf.Variable], state: list[int]) -> dict[str, int]:
    """Where the variables of `trained` are in the state, by their place among them."""
    rows = {id(variables[place]): row for row, place in enumerate(state)}
    return {str(place): rows[id(variable.value)] for place, variable in enumerate(trained(model))}


def _outputs(text: str, num_arguments: int) -> dict[int, int]:
    """Of each state variable that a step changes, by its place in the state, the output with its new value."""
    pattern = r"parameter_number = (\d+) : i64}, output_index = array<i64(?:: (\d+))?>"
    head = text[: text.index("func.func")]
    return {int(parameter) - num_arguments: int(output or 0) for parameter, output in re.findall(pattern, head)}


def main(arguments: list[str]) -> None:
    """Exports what the flags say."""
    parser = argparse.ArgumentParser(prog="benchmarks.accelerator.export", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--random_images", action="store_true")
    own, rest = parser.parse_known_args(arguments)
    config = parse_config(rest)
    if own.random_images:
        export(config, *random_images(config), own.out)
    else:
        splits = data.load(config.data)
        export(config, splits.train, splits.label_sizes, own.out)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ConfigError, DataError) as error:
        sys.exit(f"benchmarks.accelerator.export: {error}")
