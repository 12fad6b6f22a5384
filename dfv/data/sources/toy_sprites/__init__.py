"""Toy sprites: characters drawn by code, with unlimited identities and the ground truth of every swap."""

from collections.abc import Iterator

import numpy as np

from dfv.config.schema import DataConfig
from dfv.data.cache import store
from dfv.data.dataset import ImageSet, Splits
from dfv.data.image_operations import to_grey
from dfv.data.sources.toy_sprites.characters import (
    ATTRIBUTE_SIZES,
    ATTRIBUTES,
    FACTORS,
    Characters,
    Poses,
    characters,
    poses,
)
from dfv.data.sources.toy_sprites.drawing import render

__all__ = ["ATTRIBUTES", "FACTORS", "Characters", "Poses", "characters", "load", "poses", "render", "true_swap"]

IMAGES_PER_CHARACTER = 20
MAX_HELD_OUT = 200
_CHUNK = 2048


def load(config: DataConfig) -> Splits:
    """Returns splits of config.toy_characters characters in `train` and up to 200 others each in the other two.

    No combination of attributes occurs in two splits. Each character is drawn in 20 different poses. Identities
    are numbered consecutively over train, validation and test. Images are [32, 32, 3] by default.
    """
    held_out = min(MAX_HELD_OUT, config.toy_characters)
    first_test = config.toy_characters + held_out
    return Splits(
        _part("train", np.arange(config.toy_characters), config),
        _part("validation", np.arange(config.toy_characters, first_test), config),
        _part("test", np.arange(first_test, first_test + held_out), config),
        ATTRIBUTE_SIZES,
    )


def true_swap(s_sources: ImageSet, z_sources: ImageSet) -> np.ndarray:
    """Returns [N, H, W, C] uint8, the ground truth of swaps: characters of s_sources in poses of z_sources, row by row.

    Both are splits from `load`, or selections from them, of the same length N.
    """
    images = render(
        Characters(s_sources.identity, **s_sources.attributes), Poses(**z_sources.factors), s_sources.image_shape[0]
    )
    return to_grey(images) if s_sources.image_shape[2] == 1 else images


def _part(split: str, numbers: np.ndarray, config: DataConfig) -> ImageSet:
    chosen = characters(split, numbers).take(np.repeat(np.arange(len(numbers)), IMAGES_PER_CHARACTER))
    their_poses = poses(numbers, IMAGES_PER_CHARACTER)
    size = config.image_size or 32

    def drawn() -> Iterator[np.ndarray]:
        for start in range(0, len(chosen), _CHUNK):
            rows = slice(start, start + _CHUNK)
            yield from render(chosen.take(rows), their_poses.take(rows), size)

    name = f"toy_sprites_1_{split}_{numbers[0]}"  # 1 is the version of the drawing
    images = store(drawn(), len(chosen), (size, size, 3), config, name)
    attributes = {attribute: getattr(chosen, attribute) for attribute in ATTRIBUTES}
    return ImageSet(images, chosen.number.astype(np.int32), attributes, dict(vars(their_poses)))
