"""Little characters drawn by code: no download, unlimited identities, and every swap's true image known."""

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
    """config.toy_characters characters in `train`; others, up to 200 each, in `validation` and `test`, whose
    combinations of attributes no other split has. 20 different poses of each; identities numbered through the splits.
    """
    held_out = min(MAX_HELD_OUT, config.toy_characters)
    first_test = config.toy_characters + held_out
    return Splits(
        _part("train", np.arange(config.toy_characters), config),
        _part("validation", np.arange(config.toy_characters, first_test), config),
        _part("test", np.arange(first_test, first_test + held_out), config),
        ATTRIBUTE_SIZES,
    )


def true_swap(s_donors: ImageSet, z_donors: ImageSet) -> np.ndarray:
    """[N, H, W, C] uint8: row by row, the character of s_donors in the pose of z_donors.

    Both are sets that `load` gave, or rows taken from them.
    """
    images = render(
        Characters(s_donors.identity, **s_donors.attributes), Poses(**z_donors.factors), s_donors.image_shape[0]
    )
    return to_grey(images) if s_donors.image_shape[2] == 1 else images


def _part(split: str, numbers: np.ndarray, config: DataConfig) -> ImageSet:
    who = characters(split, numbers).take(np.repeat(np.arange(len(numbers)), IMAGES_PER_CHARACTER))
    what = poses(numbers, IMAGES_PER_CHARACTER)
    size = config.image_size or 32

    def drawn() -> Iterator[np.ndarray]:
        for start in range(0, len(who), _CHUNK):
            rows = slice(start, start + _CHUNK)
            yield from render(who.take(rows), what.take(rows), size)

    name = f"toy_sprites_1_{split}_{numbers[0]}"  # the number counts versions of the drawing
    images = store(drawn(), len(who), (size, size, 3), config, name)
    attributes = {attribute: getattr(who, attribute) for attribute in ATTRIBUTES}
    return ImageSet(images, who.number.astype(np.int32), attributes, dict(vars(what)))
