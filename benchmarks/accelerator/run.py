"""Runs an exported training step under JAX, on whatever device JAX has; needs JAX and NumPy alone.

    python benchmarks/accelerator/run.py programs/mnist --out=trained     # all steps; writes trained/mnist.0.npz
    python benchmarks/accelerator/run.py programs/mnist --time            # its speed
    JAX_PLATFORMS=cpu python benchmarks/accelerator/run.py programs/mnist --count   # operations a step

Takes several programs, one after the other.
"""

import argparse
import dataclasses
import json
import math
import time
from pathlib import Path

import jax
import jax.export
import numpy as np
from jax._src.interpreters import mlir  # JAX has no public way to take in StableHLO
from jax._src.lib.mlir import ir
from jax._src.lib.mlir.dialects import hlo

jax.config.update("jax_enable_x64", True)  # steps and seeds are int64

PIECE_BYTES = 16_000_000  # of a file of weights
STEPS_PER_CALL, ROUNDS = 20, 7


def without_copies(artifact):
    """TensorFlow marks every variable's new value by `mhlo.copy`, which JAX does not take; it means nothing here."""
    with mlir.make_ir_context() as context:
        module = hlo.deserialize_portable_artifact(context, artifact)
        copies = []

        def note(op):
            if op.name == "mhlo.copy":
                copies.append(op)
            return ir.WalkResult.ADVANCE

        module.operation.walk(note)
        for op in copies:
            op.results[0].replace_all_uses_with(op.operands[0])
            op.erase()
        return hlo.serialize_portable_artifact(module, hlo.get_minimum_version())


def function_of(path, arguments, results):
    """A StableHLO file as a function of JAX, of a list of arrays that gives a list of arrays."""
    exported = jax.export.export(jax.jit(lambda _: [jax.numpy.zeros(value.shape, value.dtype) for value in results]))
    return dataclasses.replace(
        exported(list(arguments)),
        mlir_module_serialized=without_copies(path.read_bytes()),
        module_kept_var_idx=tuple(range(len(arguments))),
    ).call


class Program:
    """An exported step with its data and the state that it starts from."""

    def __init__(self, folder, data_folder):
        self.folder = folder
        self.about = json.loads((folder / "program.json").read_text())
        with np.load(data_folder / "data.npz") as data:
            self.data = [data[name] for name in self.about["data"]]
        with np.load(folder / "state.npz") as state:
            self.state = [state[str(place)] for place in self.about["state"]]
        self._draw_kernels()
        self.step = self._step()

    def _draw_kernels(self):
        rows = {place: row for row, place in enumerate(self.about["state"])}
        kernels = [self.state[rows[place]] for place in self.about["init"]]
        drawn = jax.jit(function_of(self.folder / "init.bin", [], kernels))([])
        for place, kernel in zip(self.about["init"], drawn, strict=True):
            self.state[rows[place]] = kernel

    def _step(self):
        outputs = {int(row): output for row, output in self.about["outputs"].items()}
        first = np.int64(0)  # the step's number
        results = [first, *(self.state[row] for row in sorted(outputs, key=outputs.get))]
        exported = function_of(self.folder / "step.bin", [*self.data, *self.state], results)

        def step(data, state):
            new = exported([*data, *state])
            return [new[outputs[row]] if row in outputs else old for row, old in enumerate(state)]

        return step

    def operations(self):
        """Floating-point operations of a step, as JAX counts them on a CPU; it has no count on a GPU."""
        return jax.jit(self.step).lower(self.data, self.state).cost_analysis()["flops"]

    def steps(self, number):
        """A compiled function that takes (data, state) so many steps on without coming back to Python."""
        began = time.monotonic()

        def loop(data, state):
            return jax.lax.fori_loop(0, number, lambda _, state: self.step(data, state), state)

        compiled = jax.jit(loop, donate_argnums=1).lower(self.data, self.state).compile()
        print(f"{self.folder.name}: compiled in {time.monotonic() - began:.0f} s", flush=True)
        return compiled


def train(program, out, num_steps, dtype):
    """Takes all steps and writes the model's weights."""
    at_once = math.gcd(num_steps, 1000)
    advance, data, state = program.steps(at_once), jax.device_put(program.data), jax.device_put(program.state)
    began = time.monotonic()
    for _ in range(num_steps // at_once):
        state = advance(data, state)
    save({place: np.asarray(state[row]) for place, row in program.about["weights"].items()}, out, dtype)
    total, count = (np.asarray(state[row]) for row in program.about["means"])
    means = zip(program.about["terms"], total / count, strict=True)
    print(f"{program.folder.name}: {num_steps} steps in {time.monotonic() - began:.1f} s; means over them:")
    print("  ", *(f"{name} {mean:.4g}" for name, mean in means), flush=True)


def save(weights, out, dtype):
    """Writes arrays into files that are not too large, OUT.0.npz and on."""
    out.parent.mkdir(parents=True, exist_ok=True)
    pieces, size = [{}], 0
    for name, value in weights.items():
        value = value.astype(dtype) if value.dtype == np.float32 else value
        if size + value.nbytes > PIECE_BYTES and pieces[-1]:
            pieces.append({})
            size = 0
        pieces[-1][name] = value
        size += value.nbytes
    for number, piece in enumerate(pieces):
        np.savez(out.with_name(f"{out.name}.{number}.npz"), **piece)


def timed(program):
    """A line of the speed of a program's steps: the median of some rounds, and the middle half."""
    advance, data, state = program.steps(STEPS_PER_CALL), jax.device_put(program.data), jax.device_put(program.state)
    state, seconds = jax.block_until_ready(advance(data, state)), []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        state = jax.block_until_ready(advance(data, state))
        seconds.append((time.perf_counter() - start) / STEPS_PER_CALL)
    low, middle, high = np.quantile(seconds, (0.25, 0.5, 0.75))
    images = 3 * program.about["batch_size"]
    print(
        f"{program.folder.name}: {1e3 * middle:.3f} ms ({1e3 * low:.3f} to {1e3 * high:.3f}), {images / middle:,.0f} "
        "images/s",
        flush=True,
    )


def peak(dtype):
    """Operations a second of a large product of matrices."""
    size = 8192
    a, b = (jax.random.normal(jax.random.key(seed), (size, size), dtype) for seed in (0, 1))
    product = jax.jit(jax.numpy.matmul)
    jax.block_until_ready(product(a, b))
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        jax.block_until_ready(product(a, b))
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / np.median(seconds)


def main():
    """Trains or times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, help="another program's folder, whose data.npz is the same")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--num_steps", type=int)
    parser.add_argument("--dtype", default="float32", help="of the weights written")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--count", action="store_true")
    own = parser.parse_args()
    for folder in own.program:
        if not (folder / "program.json").exists():
            parser.error(f"expected folders that benchmarks.accelerator.export wrote; {folder} has no program.json.")
    if not (own.out or own.time or own.count):
        parser.error("expected --out, where the weights go, or --time or --count.")
    print(jax.__version__, jax.devices()[0].device_kind, flush=True)
    if own.time:
        for name, kind in (("float32", np.float32), ("bfloat16", jax.numpy.bfloat16)):
            print(f"product of 8192 x 8192, {name}: {peak(kind) / 1e12:.0f} TFLOP/s", flush=True)
    for folder in own.program:
        program = Program(folder, own.data or folder)
        if own.count:
            print(f"{folder.name}: {program.operations() / 1e9:.1f} GFLOP a step", flush=True)
        elif own.time:
            timed(program)
        else:
            train(program, own.out / folder.name, own.num_steps or program.about["num_steps"], own.dtype)


if __name__ == "__main__":
    main()
