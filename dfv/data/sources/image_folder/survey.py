"""What a folder of images holds, as far as it matters for the choice of options."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dfv.config.paths import expand_home
from dfv.data.sources.image_folder import files
from dfv.data.sources.image_folder.decoding import shorter_side

MAX_FILES = 200  # whose size is read


@dataclass(frozen=True)
class Survey:
    """Numbers of identities and images, the fewest images of an identity, and the median shorter side in pixels."""

    num_identities: int
    num_images: int
    fewest_images: int
    side: int


def survey(image_dir: str) -> Survey:
    """Surveys the folder; raises DataError, as `load`, if it does not have the expected layout."""
    folder = expand_home("image_dir", image_dir)
    found = files.find(folder)
    names = [name for images in found.values() for name in images]
    some = names[:: -(-len(names) // MAX_FILES)]
    sides = [side for name in some if (side := shorter_side(Path(folder) / name))]
    counts = [len(images) for images in found.values()]
    return Survey(len(counts), len(names), min(counts), int(np.median(sides)) if sides else 0)
