"""Any labelled data set of TensorFlow Datasets, by its name."""

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core.utils.shard_utils import FileInstruction

from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.data.equal_images import report_seen
from dfv.data.preprocessing import preprocess
from dfv.data.sources.tfds_builders import open_builder
from dfv.data.sources.tfds_examples import leaf_features, read_columns, read_images

_VALIDATION_FRACTION = 0.1


def from_tfds(
    name: str,
    *,
    identity: str = "label",
    image: str = "image",
    train_split: str = "train",
    test_split: str = "test",
    validation_fraction: float = _VALIDATION_FRACTION,
    config: DataConfig | None = None,
) -> Splits:
    """Returns the splits of a data set of TensorFlow Datasets with an image and an integer or text feature as identity.

    image, identity: names of features; a nested one by its path, such as "meta/person". Only these are decoded.
    Identities are numbered in the order of their values, which may be any integers or texts.
    `validation` is the last validation_fraction of train_split, in TFDS' order.
    config: such as dfv.Config.of(image_size=64).data, of which the options that apply to every data set are used:
    data_dir, image_size, fit, grayscale and so on.
    Raises DataError for features that are missing or of the wrong type, for splits that share examples or lack labels,
    and for images of several sizes if image_size is not set.
    """
    config = config or DataConfig()
    return preprocess(_read(name, identity, image, train_split, test_split, validation_fraction, config), config)


def load(config: DataConfig) -> Splits:
    """Returns the splits of the data set config.tfds_name as `from_tfds` does, by the options config.tfds_..."""
    if not config.tfds_name:
        raise DataError("tfds: no tfds_name is given. Set --tfds_name to the name of a TensorFlow data set.")
    features, splits = (config.tfds_identity, config.tfds_image), (config.tfds_train_split, config.tfds_test_split)
    return _read(config.tfds_name, *features, *splits, _VALIDATION_FRACTION, config)


def _read(
    name: str,
    identity: str,
    image: str,
    train_split: str,
    test_split: str,
    validation_fraction: float,
    config: DataConfig,
) -> Splits:
    if not 0 <= validation_fraction < 1:
        raise DataError(f"validation_fraction: expected at least 0 and below 1, got {validation_fraction}.")
    builder = open_builder(name, config)
    size = _image_size(builder, image, config)
    _check_splits(builder, train_split, test_split)
    train, test = (_labels(builder, split, identity) for split in (train_split, test_split))
    numbers = np.unique(np.concatenate([train, test]), return_inverse=True)[1].astype(np.int32)
    is_validation = np.arange(len(train)) >= round(len(train) * (1 - validation_fraction))

    def part(split: str, identity: np.ndarray, keep: np.ndarray) -> ImageSet:
        images = read_images(builder, split, config, size=size, keep=keep, features=(image,), fit=config.fit)
        return ImageSet(images, identity[keep])

    splits = Splits(
        part(train_split, numbers[: len(train)], ~is_validation),
        part(train_split, numbers[: len(train)], is_validation),
        part(test_split, numbers[len(train) :], np.ones(len(test), bool)),
    )
    report_seen(splits)
    return splits


def _feature(builder: tfds.core.DatasetBuilder, argument: str, name: str) -> tfds.features.FeatureConnector:
    features = leaf_features(builder)
    if name not in features:
        known = ", ".join(
            f"{path} (a sequence)" if isinstance(feature, tfds.features.Sequence) else path
            for path, feature in sorted(features.items())
        )
        raise DataError(f"{builder.name}: no feature {name!r}; set {argument} (--tfds_{argument}) to one of {known}.")
    if isinstance(features[name], tfds.features.Sequence):
        raise DataError(
            f"{builder.name}: feature {name!r} is a sequence, with any number of values for each example; set"
            f" {argument} (--tfds_{argument}) to a feature with one."
        )
    return features[name]


def _image_size(builder: tfds.core.DatasetBuilder, image: str, config: DataConfig) -> tuple[int, int]:
    feature = _feature(builder, "image", image)
    if not isinstance(feature, tfds.features.Image) or feature.np_dtype != np.uint8 or feature.shape[-1] not in (1, 3):
        raise DataError(f"{builder.name}: feature {image!r}: expected uint8 images of 1 or 3 channels, got {feature}.")
    if config.image_size:
        return config.image_size, config.image_size
    if None in feature.shape:
        raise DataError(
            f"{builder.name}: images may differ in size; give one, such as --image_size=64, or in Python"
            " config=dfv.Config.of(image_size=64).data."
        )
    return feature.shape[:2]


def _check_splits(builder: tfds.core.DatasetBuilder, train_split: str, test_split: str) -> None:
    """Raises DataError for a split that does not exist or is empty, and for examples that are in both splits."""
    hint = "set train_split and test_split (--tfds_train_split, --tfds_test_split), for example to 'train[:80%]' and"
    hint += " 'train[80%:]'."
    known = ", ".join(sorted(builder.info.splits))
    for split in (train_split, test_split):
        try:
            num_examples = builder.info.splits[split].num_examples
        except (KeyError, ValueError) as error:
            raise DataError(f"{builder.name}: no split {split!r} among {known}; {hint}") from error
        if num_examples < 1:
            raise DataError(f"{builder.name}: split {split!r} has no examples; {hint}")
    train, test = (builder.info.splits[split].file_instructions for split in (train_split, test_split))
    shared = sum(_num_shared(one, other) for one in train for other in test)
    if shared:
        raise DataError(f"{builder.name}: splits {train_split!r} and {test_split!r} share {shared} examples; {hint}")


def _num_shared(one: FileInstruction, other: FileInstruction) -> int:
    """Returns the number of examples that two parts of files have in common."""
    starts, ends = zip(*((part.skip, part.skip + part.take) for part in (one, other)), strict=True)
    return max(0, min(ends) - max(starts)) if one.filename == other.filename else 0


def _labels(builder: tfds.core.DatasetBuilder, split: str, identity: str) -> np.ndarray:
    feature = _feature(builder, "identity", identity)
    if feature.shape != () or np.dtype(feature.np_dtype).kind not in "biuOSU":
        raise DataError(f"{builder.name}: feature {identity!r}: expected an integer or a text, got {feature}.")
    labels = read_columns(builder, split, [identity])[identity]
    if isinstance(feature, tfds.features.ClassLabel) and (labels < 0).any():  # TFDS' value for an unknown label
        raise DataError(
            f"{builder.name}: {np.count_nonzero(labels < 0)} of {len(labels)} examples of split {split!r} have no label"
            f" {identity!r}. Choose a split with labels by train_split and test_split (--tfds_train_split,"
            " --tfds_test_split), such as 'train[80%:]'."
        )
    return labels
