"""Compares a SavedModel with the Python model that it was written from."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from dfv.data.image_operations import encode_png
from dfv.model.codec import Codec
from export import ExportError

Arrays = dict[str, np.ndarray]

FLOAT_TOLERANCE = 1e-5
GREY_LEVELS = 1
ROWS = 3


def check(saved_model: Path, model: Codec, float_images: bool) -> None:
    """Runs every signature in a new process and compares it with the Python model; raises ExportError.

    Floats may differ by FLOAT_TOLERANCE times the largest magnitude, or times 1 if larger; uint8 by GREY_LEVELS.
    """
    inputs, expected = cases(model, float_images)
    check_outputs(replay(saved_model, inputs, saved_model.parent), expected, "in a new process")


def check_outputs(received: Arrays, expected: Arrays, where: str) -> None:
    """Raises ExportError if the outputs differ from the Python model's by more than `check` allows.

    where: they come from, for the message.
    """
    if received.keys() != expected.keys():
        raise ExportError(f"nothing was exported: expected outputs {sorted(expected)}; received {sorted(received)}.")
    for name, values in expected.items():
        difference, limit = compare(received[name], values)
        if not difference <= limit:
            raise ExportError(
                f"nothing was exported: {where} {name} differs from the Python model by {difference:.3g}"
                f" (at most {limit:.3g} is allowed). Please report this together with the TensorFlow version."
            )


def compare(received: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Returns the largest difference, and its limit."""
    if received.dtype.kind == "S":
        received = np.stack([pixels_of(encoded, expected.shape[-1]) for encoded in received])
    if received.shape != expected.shape or received.dtype != expected.dtype:
        return np.inf, 0.0
    limit = GREY_LEVELS if expected.dtype == np.uint8 else FLOAT_TOLERANCE * max(1.0, float(np.abs(expected).max()))
    return float(np.abs(received.astype(np.float64) - expected).max()), limit


def replay(saved_model: Path, inputs: Arrays, scratch: Path) -> Arrays:
    """Returns the outputs of the signatures in a new process, which imports TensorFlow but not this package."""
    given, answered = scratch / "inputs.npz", scratch / "outputs.npz"
    np.savez(given, **inputs)  # type: ignore[arg-type]
    script = Path(__file__).with_name("signature_runner.py")
    command = [sys.executable, "-P", str(script), str(saved_model), str(given), str(answered)]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        ended = f"ended by signal {-finished.returncode}" if finished.returncode < 0 else "no message"
        reason = (finished.stderr.strip().splitlines() or [ended])[-1] if finished.returncode > 0 else ended
        raise ExportError(f"nothing was exported: the model could not be run in a new process ({reason}).")
    with np.load(answered) as arrays:
        return dict(arrays)


def cases(model: Codec, float_images: bool) -> tuple[Arrays, Arrays]:
    """Returns inputs for every signature and the Python model's outputs, both by SIGNATURE/NAME.

    Encoded outputs are given as the images that they must decode to.
    """
    random = np.random.default_rng(0)
    a, b = random.integers(0, 256, (2, ROWS, *model.image_shape), np.uint8)
    seeds = np.array([0, -1, 2**62], np.int64)
    weight_s, weight_z = np.array([[0.0, 0.25, 1.0], [1.0, 0.5, -0.5]], np.float32)
    codes_a, codes_b = model.encode(a), model.encode(b)
    prior = model.prior_samples(tf.constant(seeds)).numpy()
    z_a, z_b = codes_a.z.mean, codes_b.z.mean

    def decoded(s: np.ndarray, z: np.ndarray) -> np.ndarray:
        return (model.decoded(s, z).numpy() + 1.0) / 2.0

    def grey_levels(s: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(255.0 * decoded(s, z)), 0, 255).astype(np.uint8)

    image = decoded if float_images else grey_levels

    line_s = codes_a.s + weight_s[:, None] * (codes_b.s - codes_a.s)
    line_z = z_a + weight_z[:, None] * (z_b - z_a)
    encoded = {"s": codes_a.s, "z_mean": z_a, "z_log_var": codes_a.z.log_var}
    x, y = (np.float32(images / 255.0) if float_images else images for images in (a, b))
    x_bytes, y_bytes = ([encode_png(image) for image in images] for images in (a, b))
    table = {
        "serving_default": ({"image": x}, encoded),
        "encode": ({"image": x}, encoded),
        "decode": ({"s": codes_b.s, "z": z_a}, {"image": image(codes_b.s, z_a)}),
        "reconstruct": ({"image": x}, {"image": image(codes_a.s, z_a)}),
        "swap": ({"image_s": x, "image_z": y}, {"image": image(codes_a.s, z_b)}),
        "sample": ({"image_s": x, "seed": seeds}, {"image": image(codes_a.s, prior)}),
        "prior": ({"seed": seeds}, {"z": prior}),
        "interpolate": (
            {"image_a": x, "image_b": y, "weight_s": weight_s, "weight_z": weight_z}, {"image": image(line_s, line_z)}
        ),
        "encode_bytes": ({"image_bytes": x_bytes}, encoded),
        "swap_bytes": (
            {"image_s_bytes": x_bytes, "image_z_bytes": y_bytes}, {"image_bytes": grey_levels(codes_a.s, z_b)}
        ),
        "sample_bytes": (
            {"image_s_bytes": x_bytes, "seed": seeds}, {"image_bytes": grey_levels(codes_a.s, prior)}
        ),
    }  # fmt: skip
    return tuple(
        {f"{name}/{key}": np.asarray(value) for name, pair in table.items() for key, value in pair[side].items()}
        for side in (0, 1)
    )  # type: ignore[return-value]


def pixels_of(encoded: bytes, channels: int) -> np.ndarray:
    """Returns an encoded image as [H, W, C] uint8."""
    image = Image.open(io.BytesIO(encoded)).convert("L" if channels == 1 else "RGB")
    return np.asarray(image).reshape(image.height, image.width, channels)
