"""Runs an exported model for the page, by the signatures of its SavedModel."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from dfv.model.codes import prior_samples
from export import ExportError
from export.demo.model_folder import newest_version, read_fit
from export.extra_files import EXAMPLES


class ExportedModel:
    """The newest version of an exported model. Takes image files, returns images [H, W, C] uint8.

    fit: how the files get the model's aspect ratio, see DataConfig.fit.

    Raises ExportError for a folder that has no exported model.
    """

    def __init__(self, model_dir: Path):
        self.folder = newest_version(model_dir)
        self.examples_dir = self.folder / EXAMPLES
        try:
            self._loaded = tf.saved_model.load(str(self.folder))
        except (OSError, ValueError, LookupError, RuntimeError, DecodeError, tf.errors.OpError) as error:
            raise ExportError(
                f"--model: {self.folder} cannot be loaded ({error}). If files are missing or damaged, export it again."
            ) from error
        if "swap_bytes" not in self._loaded.signatures:
            raise ExportError(
                f"--model: {self.folder} has no signature `swap_bytes`; expected a model written by `python -m export`."
            )
        shape = self._signature("reconstruct").structured_outputs["image"].shape
        self.image_shape = tuple(shape[1:])
        self.fit = read_fit(self.folder)

    def _signature(self, name: str) -> tf.types.experimental.ConcreteFunction:
        return self._loaded.signatures[name]

    def encode(self, files: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Returns s [N, s_dim] and the mean of z [N, z_dim] of image files; raises ExportError for invalid files."""
        s, z_mean = zip(*map(self._encode, files), strict=True)
        return np.concatenate(s), np.concatenate(z_mean)

    def _encode(self, file: str) -> tuple[np.ndarray, np.ndarray]:
        try:
            codes = self._signature("encode_bytes")(image_bytes=tf.constant([_read(file)]))
        except tf.errors.InvalidArgumentError as error:
            reason = "is too large" if "at most" in str(error) else "is not a PNG or JPEG image, or is damaged"
            raise ExportError(f"{Path(file).name} {reason}; choose another file.") from error
        return codes["s"].numpy(), codes["z_mean"].numpy()

    def decode(self, s: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Returns images [N, H, W, C] uint8 of s [N, s_dim] and z [N, z_dim]."""
        images = self._signature("decode")(s=tf.constant(s, tf.float32), z=tf.constant(z, tf.float32))["image"].numpy()
        return images if images.dtype == np.uint8 else np.rint(255 * images).astype(np.uint8)

    def sample(self, files: list[str], seeds: np.ndarray) -> np.ndarray:
        """Returns images with the mean s of files and z from the prior, one for each seed [N] int; see `encode`.

        With a single file, the images are those of the signature `sample`.
        """
        s, z_mean = self.encode(files)
        seed = tf.constant(seeds, tf.int64)
        if "prior" in self._loaded.signatures:
            z = self._signature("prior")(seed=seed)["z"]
        else:  # exported by an earlier version
            z = prior_samples(seed, z_mean.shape[1])
        return self.decode(s.mean(0, keepdims=True).repeat(len(seeds), axis=0), z.numpy())


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except FileNotFoundError as error:
        raise ExportError(f"{Path(file).name} no longer exists; choose another file.") from error
    except OSError as error:
        raise ExportError(f"{Path(file).name} cannot be read ({error.strerror}); choose another file.") from error
