"""A model with the user's image files and the place for results."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from dfv.apply.encoding import EncodedFiles, batch_size, encode_files, progress
from dfv.apply.image_files import ImageFiles
from dfv.apply.options import FileOptions, ModeOptions
from dfv.apply.output import Output, without_suffixes
from dfv.data.dataset import DataError
from dfv.evaluation.sampling import batches
from dfv.model.codec import Codec


@dataclass(frozen=True)
class Task:
    """A model, options, the image files of each flag, and where results are written."""

    model: Codec
    options: FileOptions
    modes: ModeOptions
    images: dict[str, ImageFiles]
    out: Output

    def encoded(self, flag: str) -> EncodedFiles:
        """Encodes the files of a flag; with one s for each folder, if the options say so."""
        encoded = encode_files(self.model, self.images[flag], self.options.skip_bad_images)
        return encoded.with_one_s_per_folder() if self.options.one_s_per_folder else encoded

    def one_encoded(self, flag: str) -> EncodedFiles:
        """Encodes the single image of a flag; raises DataError for several."""
        number = len(self.images[flag].names)
        if number > 1:
            raise DataError(f"--{flag} expects one image; the folder has {number}. Give the file.")
        return self.encoded(flag)

    def s_sources(self) -> tuple[list[str], np.ndarray]:
        """Returns names and s [N, s_dim] of the images, or of the folders, of --images_s."""
        encoded = self.encoded("images_s")
        if not self.options.one_s_per_folder:
            return without_suffixes(encoded.files.names), encoded.s
        names, numbers = encoded.files.identities()
        _, first = np.unique(numbers, return_index=True)
        return names, encoded.s[first]

    def write_decoded(
        self, s: np.ndarray, z: np.ndarray, s_rows: np.ndarray, z_rows: np.ndarray, names: Iterable[str]
    ) -> None:
        """Writes an image, decoded from these rows of s and z, under each name."""
        names = iter(names)
        with progress(len(s_rows), "Writing") as bar:
            for rows in batches(len(s_rows), batch_size(self.model)):
                for image in self.model.decode(s[s_rows[rows]], z[z_rows[rows]]):
                    self.out.write_png(f"{next(names)}.png", image)
                    bar.update()
