"""Sprites (Reed et al. 2015): drawn characters with seven attributes, in the frames of twenty animations."""

import numpy as np

from dfv.config.schema import DataConfig
from dfv.data.dataset import ImageSet, Splits


def load(config: DataConfig) -> Splits:
    """The published splits of characters; identity is the character, so those of validation and test are unseen.

    Factors: animation, frame within its animation, and pose, one number for both: the true analogy of another
    character is its image of the same pose. Characters 2k and 2k + 1 differ in the weapon alone, which half of the
    frames do not show.
    """
    from dfv.data.sources.sprites.builder import Sprites
    from dfv.data.sources.sprites.reader import ATTRIBUTES, EXPECTED, NUM_FRAMES, SIZE
    from dfv.data.sources.tfds_builders import manual_dir, prepare
    from dfv.data.sources.tfds_examples import as_int32, read_columns, read_images

    builder = Sprites(data_dir=config.data_dir or None)
    manual = manual_dir(builder, config)
    prepare(builder, EXPECTED.format(manual=manual), manual)
    first_pose = np.cumsum((0, *NUM_FRAMES[:-1]))
    size = (config.image_size or SIZE,) * 2

    def part(split: str) -> ImageSet:
        columns = read_columns(builder, split, ["character", "animation", "frame", *ATTRIBUTES])
        columns = as_int32(columns)
        identity, animation, frame = (columns.pop(name) for name in ("character", "animation", "frame"))
        pose = (first_pose[animation] + frame).astype(np.int32)
        images = read_images(builder, split, config, size=size, keep=np.ones(len(identity), bool))
        return ImageSet(images, identity, columns, {"animation": animation, "frame": frame, "pose": pose})

    return Splits(part("train"), part("validation"), part("test"), dict(ATTRIBUTES))
