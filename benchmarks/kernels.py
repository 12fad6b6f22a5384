"""How much of the training step's time the library's own convolutions and matrix products need, each called alone.

    python -m benchmarks.kernels --flagfile=configs/yaleb_paper.flags

Takes what benchmarks.train_step takes. Every such operation of the step's graph is run by itself on noise of its
shapes; their sum is the time that the step would take if nothing else in it did.
"""

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from benchmarks import benchmark, timing
from benchmarks.noise import random_batch, shapes
from benchmarks.train_step import GROUPS, read_options
from dfv.config.command_line import Arguments
from dfv.model.disentangler import Disentangler

STEP = "the whole step"
OF_CONVOLUTIONS = ("strides", "padding", "explicit_paddings")
ATTRIBUTES = {
    "Conv2D": OF_CONVOLUTIONS,
    "Conv2DBackpropInput": OF_CONVOLUTIONS,
    "Conv2DBackpropFilter": OF_CONVOLUTIONS,
    "MatMul": ("transpose_a", "transpose_b"),
}
INPUTS = {
    "Conv2D": ("input", "filter"),
    "Conv2DBackpropInput": ("input_sizes", "filter", "out_backprop"),
    "Conv2DBackpropFilter": ("input", "filter_sizes", "out_backprop"),
    "MatMul": ("a", "b"),
}


class Kernel(NamedTuple):
    """An operation, the shapes of its inputs and of its output, and its attributes."""

    kind: str
    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    attributes: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, operation: tf.Operation) -> "Kernel":
        values = {name: operation.get_attr(name) for name in ATTRIBUTES[operation.type]}
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        inputs = tuple(tuple(tensor.shape) for tensor in operation.inputs)
        return cls(operation.type, inputs, tuple(operation.outputs[0].shape), tuple(values.items()))

    def call(self) -> Callable[[], tf.Tensor]:
        """Runs it on noise."""
        attributes = {name: list(value) if isinstance(value, tuple) else value for name, value in self.attributes}
        noise = {}
        for name, shape in zip(INPUTS[self.kind], self.inputs, strict=True):
            if name.endswith("sizes"):
                attributes[name] = tf.constant(self.output)
            else:
                noise[name] = tf.random.stateless_normal(shape, (0, 0))
        run = tf.function(lambda **given: getattr(tf.raw_ops, self.kind)(**given, **attributes), autograph=False)
        return lambda: run(**noise)

    def __str__(self) -> str:
        return f"{self.kind} {' '.join('x'.join(map(str, shape)) for shape in (*self.inputs, self.output))}"


def kernels(step: tf.types.experimental.ConcreteFunction) -> Counter[Kernel]:
    """The step's heavy operations, and how often it runs each: what its outputs and updates do not need is left out."""
    needed, waiting = set(), [tensor.op for tensor in step.graph.outputs] + list(step.graph.control_outputs)
    while waiting:
        operation = waiting.pop()
        if operation not in needed:
            needed.add(operation)
            waiting += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
    return Counter(Kernel.of(operation) for operation in needed if operation.type in ATTRIBUTES)


def measure(model: Disentangler, batch: dict[str, tf.Tensor], rounds: int, calls: int) -> str:
    """A Markdown table: the step, its kernels by kind, their sum; each kernel's time is that of a call by itself."""
    step = tf.function(model.train_step, autograph=False)
    counts = kernels(step.get_concrete_function(batch))
    timings = timing.interleaved(
        {STEP: lambda: step(batch)} | {str(kernel): kernel.call() for kernel in counts}, rounds, calls
    )
    walls = {name: 1e3 * timing.median(seconds).wall for name, seconds in timings.items()}
    by_kind: dict[str, list[float]] = {}
    for kernel, count in counts.items():
        by_kind.setdefault(kernel.kind, []).extend([walls[str(kernel)]] * count)
    everything = [one for times in by_kind.values() for one in times]
    rows = [
        [name, str(len(times)), f"{sum(times):.1f}", f"{sum(times) / walls[STEP]:.1%}"]
        for name, times in {**by_kind, "all of these": everything, STEP: [walls[STEP]]}.items()
    ]
    return timing.table(["called alone", "times a step", "ms", "of the step"], rows)


def run(arguments: Arguments) -> None:
    config, values = read_options(arguments)
    model = Disentangler(config, *shapes(config))
    model.compile()
    batch = {name: tf.constant(value) for name, value in random_batch(config).items()}
    print(timing.circumstances(["tensorflow", "keras"]))
    print(f"{config.data.dataset}, {shapes(config)[0]}, {config.training.batch_size} triplets a step\n", flush=True)
    print(measure(model, batch, values.rounds, values.calls))


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.kernels", __doc__, run, GROUPS))
