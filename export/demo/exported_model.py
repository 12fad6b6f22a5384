"""An exported model as the page uses it: a SavedModel, and nothing of dfv."""

from collections import Counter
from pathlib import Path

import numpy as np
import tensorflow as tf

from export import ExportError

EXAMPLES = Path("assets.extra", "examples")
SUFFIXES = (".png", ".jpg", ".jpeg")


class Served:
    """The newest version below a model's folder. Images are given as files, and come back as [H, W, C] uint8."""

    def __init__(self, place: Path):
        self.folder = newest(place)
        try:
            self._loaded = tf.saved_model.load(str(self.folder))
        except (OSError, ValueError) as error:
            raise ExportError(f"{self.folder} is no SavedModel that can be loaded ({error}).") from error
        if "swap_bytes" not in self._loaded.signatures:
            raise ExportError(f"{self.folder} was not written by `python -m export`.")
        shape = self._run("reconstruct").structured_outputs["image"].shape
        self.image_shape = tuple(shape[1:])

    def _run(self, signature: str) -> tf.types.experimental.ConcreteFunction:
        return self._loaded.signatures[signature]

    def examples(self, folder: Path | None = None) -> list[str]:
        """Image files that come with the model, or those of a folder and of the folders in it, one of each in turn."""
        place, ranked, seen = folder or self.folder / EXAMPLES, [], Counter[Path]()
        for path in sorted([*place.glob("*"), *place.glob("*/*")]):
            if path.suffix.lower() in SUFFIXES:
                ranked.append((seen[path.parent], path))
                seen[path.parent] += 1
        return [str(path) for _, path in sorted(ranked)]

    def codes(self, files: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """s [N, s_dim] and the mean of z [N, z_dim] of image files; raises ExportError for one that is no image."""
        parts = [self._codes(file) for file in files]
        return np.concatenate([s for s, _ in parts]), np.concatenate([z for _, z in parts])

    def _codes(self, file: str) -> tuple[np.ndarray, np.ndarray]:
        try:
            codes = self._run("encode_bytes")(image_bytes=tf.constant([Path(file).read_bytes()]))
        except (OSError, tf.errors.InvalidArgumentError) as error:
            reason = "too large" if "at most" in str(error) else "not a PNG or JPEG image that can be read"
            raise ExportError(f"{Path(file).name} is {reason}; choose another file.") from error
        return codes["s"].numpy(), codes["z_mean"].numpy()

    def decode(self, s: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Images [N, H, W, C] uint8 of s [N, s_dim] and z [N, z_dim]."""
        images = self._run("decode")(s=tf.constant(s, tf.float32), z=tf.constant(z, tf.float32))["image"].numpy()
        return images if images.dtype == np.uint8 else np.rint(255 * images).astype(np.uint8)

    def sample(self, file: str, seeds: np.ndarray) -> np.ndarray:
        """Images with the s of a file and z from the prior, one for each seed."""
        self._codes(file)
        encoded = tf.constant([Path(file).read_bytes()] * len(seeds))
        answer = self._run("sample_bytes")(image_s_bytes=encoded, seed=tf.constant(seeds, tf.int64))["image_bytes"]
        return np.stack([tf.io.decode_png(image).numpy() for image in answer])


def newest(place: Path) -> Path:
    """The folder of the greatest version; raises ExportError if there is none."""
    if (place / "saved_model.pb").exists():
        return place
    versions = [path for path in place.glob("*") if path.name.isdecimal() and (path / "saved_model.pb").exists()]
    if not versions:
        raise ExportError(f"--model={place} holds no exported model; `python -m export` writes one.")
    return max(versions, key=lambda path: int(path.name))
