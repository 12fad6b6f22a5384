"""Labelled sets of TensorFlow Datasets: MNIST and small NORB as the paper uses them, and any other by name."""

import numpy as np
import tensorflow_datasets as tfds

from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.data.preprocessing import finish
from dfv.data.sources.tfds_reader import prepare, read_both, read_columns, read_images

_ORIGIN = """Expected what `tfds build {name}` writes, such as
  {path}/dataset_info.json
  {path}/{name}-train.tfrecord-00000-of-00001
It comes from {url}. Run `tfds build {name} --data_dir=DIR` where there is a network, copy DIR here, and set \
--data_dir=DIR."""
_LIGHT = ("elevation", "azimuth", "lighting")


def _open(name: str, config: DataConfig) -> tfds.core.DatasetBuilder:
    try:
        builder = tfds.builder(name, data_dir=config.data_dir or None)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise DataError(f"{name}: TensorFlow Datasets has no such set; `tfds.list_builders()` lists them.") from error
    except (AssertionError, TypeError, ValueError) as error:  # of a version, an argument, a config or a form
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"{name!r}: expected a set that TensorFlow Datasets has, as NAME, NAME/CONFIG or NAME:VERSION ({reason})."
        ) from error
    prepare(builder, _ORIGIN.format(name=name, path=builder.data_path, url=builder.info.homepage))
    return builder


def load_mnist(config: DataConfig) -> Splits:
    """MNIST: identity is the digit; the last 5,000 training images, in TFDS' order, are `validation`."""
    builder = _open("mnist", config)
    size = (config.image_size or 28,) * 2

    def part(split: str) -> ImageSet:
        images, columns = read_both(builder, split, config, size=size, names=["label"])
        return ImageSet(images, columns["label"])

    return Splits(part("train[:-5000]"), part("train[-5000:]"), part("test"))


def load_smallnorb(config: DataConfig) -> Splits:
    """small NORB: identity is the toy, (category, instance), and both cameras' images are images of it.

    `test` is the published 25 toys; `validation` the highest-numbered training toy of each category.
    Factors: camera, and of elevation, azimuth and lighting those that are known (not the same everywhere).
    """
    builder = _open("smallnorb", config)
    names = ["label_category", "instance", *(f"label_{name}" for name in _LIGHT)]
    columns = {split: read_columns(builder, split, names) for split in ("train", "test")}
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
    """[N] bool: whether it shows the highest-numbered toy of its category."""
    highest = np.zeros(category.max() + 1, instance.dtype)
    np.maximum.at(highest, category, instance)
    return instance == highest[category]


def from_tfds(
    name: str,
    *,
    identity: str = "label",
    image: str = "image",
    train_split: str = "train",
    test_split: str = "test",
    validation_fraction: float = 0.1,
    config: DataConfig | None = None,
) -> Splits:
    """The splits of any set of TensorFlow Datasets with an image and an integer or text feature as identity.

    `validation` is the last validation_fraction of train_split, in TFDS' order. Of the config, all that does not
    belong to one dataset counts: data_dir, image_size, grayscale and so on.
    Raises DataError for features that are missing or unfit, and for images of several sizes without an image_size.
    """
    config = config or DataConfig()
    if not 0 <= validation_fraction < 1:
        raise DataError(f"validation_fraction: expected at least 0 and below 1, got {validation_fraction}.")
    builder = _open(name, config)
    size = _image_size(builder, image, config)
    train, test = (_labels(builder, split, identity) for split in (train_split, test_split))
    numbers = np.unique(np.concatenate([train, test]), return_inverse=True)[1].astype(np.int32)
    is_validation = np.arange(len(train)) >= round(len(train) * (1 - validation_fraction))

    def part(split: str, identity: np.ndarray, keep: np.ndarray) -> ImageSet:
        return ImageSet(read_images(builder, split, config, size=size, keep=keep, features=(image,)), identity[keep])

    splits = Splits(
        part(train_split, numbers[: len(train)], ~is_validation),
        part(train_split, numbers[: len(train)], is_validation),
        part(test_split, numbers[len(train) :], np.ones(len(test), bool)),
    )
    return finish(splits, config)


def _feature(builder: tfds.core.DatasetBuilder, argument: str, name: str) -> tfds.features.FeatureConnector:
    features = builder.info.features
    if name not in features:
        raise DataError(f"{builder.name}: no feature {name!r}; set {argument} to one of {', '.join(sorted(features))}.")
    return features[name]


def _image_size(builder: tfds.core.DatasetBuilder, image: str, config: DataConfig) -> tuple[int, int]:
    feature = _feature(builder, "image", image)
    if not isinstance(feature, tfds.features.Image) or feature.np_dtype != np.uint8 or feature.shape[-1] not in (1, 3):
        raise DataError(f"{builder.name}: feature {image!r}: expected uint8 images of 1 or 3 channels, got {feature}.")
    if config.image_size:
        return config.image_size, config.image_size
    if None in feature.shape:
        raise DataError(
            f"{builder.name}: images may differ in size; give one, such as config=DataConfig(image_size=64)."
        )
    return feature.shape[:2]


def _labels(builder: tfds.core.DatasetBuilder, split: str, identity: str) -> np.ndarray:
    try:
        builder.info.splits[split]
    except (KeyError, ValueError) as error:
        known = ", ".join(sorted(builder.info.splits))
        raise DataError(
            f"{builder.name}: no split {split!r} among {known}; set train_split and test_split, for example to"
            " 'train[:80%]' and 'train[80%:]'."
        ) from error
    feature = _feature(builder, "identity", identity)
    if feature.shape != () or np.dtype(feature.np_dtype).kind not in "iuOSU":
        raise DataError(f"{builder.name}: feature {identity!r}: expected an integer or a text, got {feature}.")
    return read_columns(builder, split, [identity])[identity]
