"""Random images in the shape of the paper's sets, for what needs no real ones."""

import numpy as np

from dfv.config.schema import Config, ConfigError
from dfv.data.dataset import ImageSet

NUM_IMAGES = 4096
# The set's own image shape, and the sizes of its labels: the identity, then each attribute.
SETS = {
    "mnist": ((28, 28, 1), (10,)),
    "smallnorb": ((96, 96, 1), (25,)),
    "sprites": ((60, 60, 3), (500, 2, 4, 3, 6, 2, 2, 2)),
    "yaleb": ((64, 64, 1), (28,)),
}


def shapes(config: Config) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """Image shape and label sizes of the config's set; raises ConfigError for others than the paper's."""
    if config.data.dataset not in SETS:
        raise ConfigError(f"expected one of the paper's run files ({', '.join(SETS)}); got {config.data.dataset}.")
    (height, width, channels), label_sizes = SETS[config.data.dataset]
    size = config.data.image_size
    return (size or height, size or width, 1 if config.data.grayscale else channels), label_sizes


def random_batch(config: Config) -> dict[str, np.ndarray]:
    """A batch of triplets in the form of `dfv.data.pipeline`: noise, with labels of the set."""
    image_shape, label_sizes = shapes(config)
    random, batch = np.random.default_rng(0), config.training.batch_size
    images = random.integers(0, 256, (3, batch, *image_shape), np.uint8)
    labels = random.integers(0, label_sizes, (2, batch, len(label_sizes))).astype(np.int32)
    return {"x1": images[0], "x1_same": images[1], "x2": images[2], "labels1": labels[0], "labels2": labels[1]}


def random_images(config: Config) -> tuple[ImageSet, tuple[int, ...]]:
    """A set of noise, every identity with as many images as any other, and the sizes of its labels."""
    image_shape, label_sizes = shapes(config)
    images = np.random.default_rng(0).integers(0, 256, (NUM_IMAGES, *image_shape), np.uint8)
    identity = np.arange(NUM_IMAGES, dtype=np.int32) % label_sizes[0]
    attributes = {str(column): identity % size for column, size in enumerate(label_sizes[1:])}
    return ImageSet(images, identity, attributes), label_sizes
