"""MNIST, from TensorFlow Datasets."""

from dfv.config.schema import DataConfig
from dfv.data.dataset import ImageSet, Splits
from dfv.data.sources.tfds_builders import open_builder
from dfv.data.sources.tfds_examples import as_int32, read_images_and_columns


def load(config: DataConfig) -> Splits:
    """Returns MNIST; identity is the digit, and the last 5,000 training images in TFDS' order are `validation`."""
    builder = open_builder("mnist", config)
    size = (config.image_size or 28,) * 2

    def part(split: str) -> ImageSet:
        images, columns = read_images_and_columns(builder, split, config, size=size, names=["label"])
        return ImageSet(images, as_int32(columns)["label"])

    return Splits(part("train[:-5000]"), part("train[-5000:]"), part("test"))
