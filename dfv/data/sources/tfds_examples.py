"""Reads images and labels of a prepared data set of TensorFlow Datasets, in the order of its files.

A nested feature is named by its path, such as "meta/person". Only the requested features are decoded.
"""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from dfv.config.schema import DataConfig
from dfv.data.cache import store
from dfv.data.dataset import DataError
from dfv.data.image_operations import fit_images
from dfv.data.lazy_images import Images

_BATCH = 256

Columns = dict[str, np.ndarray]


def read_columns(builder: tfds.core.DatasetBuilder, split: str, names: Sequence[str]) -> Columns:
    """Returns name -> [N] values of features other than images, with the dtype of the feature."""
    return _joined(builder, split, names, list(_batches(builder, split, names, 4096)))


def _joined(builder: tfds.core.DatasetBuilder, split: str, names: Sequence[str], batches: Sequence[Columns]) -> Columns:
    num_examples = builder.info.splits[split].num_examples
    if names and sum(len(batch[names[0]]) for batch in batches) != num_examples:
        raise DataError(_damaged(builder, split, f"fewer than its {num_examples} examples"))
    return {name: np.concatenate([batch[name] for batch in batches]) for name in names}


def as_int32(columns: Columns) -> Columns:
    """Converts integer columns to int32; for data sets whose labels are known to be small."""
    return {n: values.astype(np.int32) if values.dtype.kind in "iu" else values for n, values in columns.items()}


def leaf_features(builder: tfds.core.DatasetBuilder) -> dict[str, tfds.features.FeatureConnector]:
    """Returns path -> feature, with nested features as "outer/inner"; a sequence counts as one feature."""

    def leaves(features: tfds.features.FeaturesDict, prefix: str) -> Iterator[tuple[str, Any]]:
        for name, feature in features.items():
            if isinstance(feature, tfds.features.FeaturesDict):
                yield from leaves(feature, f"{prefix}{name}/")
            else:
                yield prefix + name, feature

    return dict(leaves(builder.info.features, ""))


def read_images(
    builder: tfds.core.DatasetBuilder,
    split: str,
    config: DataConfig,
    *,
    size: tuple[int, int],
    keep: np.ndarray | None = None,
    features: Sequence[str] = ("image",),
    fit: str = "stretch",
) -> Images:
    """Returns the images, resized to (height, width), of all examples or of those where `keep`, [N] bool, is true.

    fit: how images get this aspect ratio, see DataConfig.fit.
    Several image features give that many images for each example, one after the other.
    Raises DataError if the files are damaged.
    """
    images, _ = read_images_and_columns(
        builder, split, config, size=size, names=(), keep=keep, features=features, fit=fit
    )
    return images


def read_images_and_columns(
    builder: tfds.core.DatasetBuilder,
    split: str,
    config: DataConfig,
    *,
    size: tuple[int, int],
    names: Sequence[str],
    keep: np.ndarray | None = None,
    features: Sequence[str] = ("image",),
    fit: str = "stretch",
) -> tuple[Images, Columns]:
    """Returns `read_images`, and `read_columns` of all examples, in one pass unless the images are cached on disk."""
    keep = np.ones(builder.info.splits[split].num_examples, bool) if keep is None else keep
    prepared = (Path(builder.data_path) / "dataset_info.json").stat().st_mtime_ns
    how = () if fit == "stretch" else (fit,)  # files of earlier versions are stretched
    content = repr((builder.info.full_name, prepared, split, size, features, *how)).encode() + keep.tobytes()
    name = f"{builder.name}-{hashlib.sha256(content).hexdigest()[:16]}"
    known = leaf_features(builder)
    shape = (*size, known[features[0]].shape[-1])
    seen: list[Columns] = []
    images = _resized(builder, split, features, keep, size, fit, names, seen)
    stored = store(images, int(keep.sum()) * len(features), shape, config, name)
    if names and not seen:
        return stored, read_columns(builder, split, names)
    return stored, _joined(builder, split, names, seen)


def _resized(
    builder: tfds.core.DatasetBuilder,
    split: str,
    features: Sequence[str],
    keep: np.ndarray,
    size: tuple[int, int],
    fit: str,
    names: Sequence[str],
    seen: list[Columns],
) -> Iterator[np.ndarray]:
    """Yields the images one by one, and appends the columns of these names to `seen`."""
    known = leaf_features(builder)
    same_size = all(None not in known[name].shape for name in features)
    position = 0
    for batch in _batches(builder, split, [*features, *names], _BATCH if same_size else 1):
        seen.append({name: batch[name] for name in names})
        chosen = keep[position : position + len(batch[features[0]])]
        position += len(chosen)
        images = [fit_images(batch[name][chosen], *size, fit) for name in features]
        for of_one_example in zip(*images, strict=True):
            yield from of_one_example


def _batches(builder: tfds.core.DatasetBuilder, split: str, names: Sequence[str], batch_size: int) -> Iterator[Columns]:
    """Yields batches of these features, named by their paths, in the order of the files."""
    wanted: dict[str, Any] = {}
    for name in names:
        *outer, last = name.split("/")
        functools.reduce(lambda nested, key: nested.setdefault(key, {}), outer, wanted)[last] = True
    settings = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    try:
        examples = builder.as_dataset(split=split, decoders=tfds.decode.PartialDecoding(wanted), read_config=settings)
        yield from (
            examples.map(lambda example: {name: _leaf(example, name) for name in names})
            .batch(batch_size)
            .as_numpy_iterator()
        )
    except (tf.errors.OpError, OSError) as error:
        raise DataError(_damaged(builder, split, f"{type(error).__name__}: {error}".splitlines()[0])) from error


def _leaf(example: dict[str, Any], path: str) -> tf.Tensor:
    return functools.reduce(lambda nested, key: nested[key], path.split("/"), example)


def _damaged(builder: tfds.core.DatasetBuilder, split: str, what: str) -> str:
    files = ", ".join(sorted({Path(one.filename).name for one in builder.info.splits[split].file_instructions}))
    return f"{builder.data_path}: {files} cannot be read to the end ({what}). Delete that folder and prepare it again."
