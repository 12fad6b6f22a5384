"""Sprites (Reed et al. 2015): drawn characters with seven attributes, in the frames of twenty animations."""

import numpy as np

from dfv.config.schema import DataConfig
from dfv.data.dataset import ImageSet, Splits


def load(config: DataConfig) -> Splits:
    """Returns the published splits; identity is the character, so validation and test have unseen identities.

    Factors: animation, frame within the animation, and pose, which numbers both together: the ground truth of an
    analogy is the other character's image of the same pose. Characters 2k and 2k + 1 differ only in the weapon, which
    is not visible in half of the frames.
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
