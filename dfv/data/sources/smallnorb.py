"""Small NORB, from TensorFlow Datasets."""

import numpy as np

from dfv.config.schema import DataConfig
from dfv.data.dataset import ImageSet, Splits
from dfv.data.sources.tfds_builders import open_builder
from dfv.data.sources.tfds_examples import as_int32, read_columns, read_images

_LIGHT = ("elevation", "azimuth", "lighting")


def load(config: DataConfig) -> Splits:
    """Returns small NORB; identity is the toy, (category, instance), with the images of both cameras.

    `test` has the published 25 test toys; `validation` the highest-numbered training toy of each category.
    Factors: camera, and those of elevation, azimuth and lighting that take more than one value.
    """
    builder = open_builder("smallnorb", config)
    names = ["label_category", "instance", *(f"label_{name}" for name in _LIGHT)]
    columns = {split: as_int32(read_columns(builder, split, names)) for split in ("train", "test")}
    known = [name for name in _LIGHT if len(np.unique(columns["train"][f"label_{name}"])) > 1]
    size = (config.image_size or 96,) * 2

    def part(split: str, keep: np.ndarray) -> ImageSet:
        images = read_images(builder, split, config, size=size, keep=keep, features=("image", "image2"))
        values = {name: np.repeat(column[keep], 2) for name, column in columns[split].items()}
        category = values["label_category"]
        factors = {name: values[f"label_{name}"] for name in known}
        factors["camera"] = np.tile(np.array([0, 1], np.int32), int(keep.sum()))
        return ImageSet(images, category * 10 + values["instance"], {"category": category}, factors)

    held_out = _highest_instance(columns["train"]["label_category"], columns["train"]["instance"])
    everything = np.ones(len(columns["test"]["instance"]), bool)
    sizes = {"category": builder.info.features["label_category"].num_classes}
    return Splits(part("train", ~held_out), part("train", held_out), part("test", everything), sizes)


def _highest_instance(category: np.ndarray, instance: np.ndarray) -> np.ndarray:
    """Returns [N] bool: whether an image shows the highest-numbered toy of its category."""
    highest = np.zeros(category.max() + 1, instance.dtype)
    np.maximum.at(highest, category, instance)
    return instance == highest[category]
