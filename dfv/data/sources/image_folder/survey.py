"""What a folder or a list of images holds, as far as it matters for the choice of options."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from absl import logging

from dfv.config.schema import DataConfig
from dfv.data.sources.image_folder.decoding import shorter_side
from dfv.data.sources.image_folder.labelled_files import find_labelled_files

MAX_FILES = 200  # whose size is read


@dataclass(frozen=True)
class Survey:
    """Numbers of identities and images, the fewest images of an identity, and the median shorter side in pixels."""

    num_identities: int
    num_images: int
    fewest_images: int
    side: int


def survey(config: DataConfig) -> Survey:
    """Surveys the images that `load` would read; raises DataError, as `load`, if they are not as expected."""
    with _without_warnings():
        found = find_labelled_files(config)
    some = found.paths[:: -(-len(found.names) // MAX_FILES)]
    sides = [side for path in some if (side := shorter_side(path))]
    counts = np.bincount(found.identity)
    return Survey(len(counts), len(found.names), int(counts.min()), int(np.median(sides)) if sides else 0)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Context in which nothing is logged, for what `load` will say again."""
    logger = logging.get_absl_logger()
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False
