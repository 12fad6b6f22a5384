"""Sets of TensorFlow Datasets: prepared, and read in the order of their files."""

import hashlib
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging

from dfv.config.fields import expand_home
from dfv.config.schema import DataConfig
from dfv.data.cache import store
from dfv.data.dataset import DataError
from dfv.data.image_operations import resize
from dfv.data.lazy_images import Images

_BATCH = 256

Columns = dict[str, np.ndarray]


def prepare(builder: tfds.core.DatasetBuilder, origin: str, manual_dir: Path | None = None) -> None:
    """Has the builder prepare its set if it is not, and says so; `origin`, for the error, tells where it comes from."""
    if builder.is_prepared():
        return
    if manual_dir and not (os.path.isdir(manual_dir) and any(manual_dir.iterdir())):
        raise DataError(f"{builder.name}: no folder {manual_dir}, or an empty one. {origin}")
    action = f"preparing it from {manual_dir}" if manual_dir else "downloading it"
    logging.warning("%s is not prepared under %s: %s, once.", builder.name, builder.data_path, action)
    settings = tfds.download.DownloadConfig(manual_dir=manual_dir, try_download_gcs=False)
    try:
        _check_network(builder)
        builder.download_and_prepare(download_config=settings)
    except DataError:
        raise
    except Exception as error:  # a download fails in many ways
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise DataError(
            f"{builder.name}: nothing is prepared under {builder.data_path}, and preparing it failed ({reason})."
            f" {origin}"
        ) from error


def _check_network(builder: tfds.core.DatasetBuilder) -> None:
    """Raises ConnectionError if none of the set's servers has an address: TFDS would try for minutes."""
    servers = {urlsplit(url).hostname or "" for url in builder.url_infos or ()}
    if not servers or getproxies():
        return
    for server in servers:
        try:
            socket.getaddrinfo(server, 443)
            return
        except OSError:
            continue
    raise ConnectionError(f"no network, no address of {', '.join(sorted(servers))}")


def manual_dir(builder: tfds.core.DatasetBuilder, config: DataConfig) -> Path:
    """The folder of what cannot be downloaded; TFDS' own place if none is given."""
    if config.manual_dir:
        return expand_home("manual_dir", config.manual_dir)
    return Path(builder.data_path).parents[1] / "downloads" / "manual"


def read_columns(builder: tfds.core.DatasetBuilder, split: str, names: Sequence[str]) -> Columns:
    """name -> [N] values of features other than images, integers as int32."""
    return _joined(builder, split, names, list(_batches(builder, split, names, 4096)))


def _joined(builder: tfds.core.DatasetBuilder, split: str, names: Sequence[str], batches: Sequence[Columns]) -> Columns:
    num_examples = builder.info.splits[split].num_examples
    if names and sum(len(batch[names[0]]) for batch in batches) != num_examples:
        raise DataError(_damaged(builder, split, f"fewer than its {num_examples} examples"))
    columns = {name: np.concatenate([batch[name] for batch in batches]) for name in names}
    return {n: values.astype(np.int32) if values.dtype.kind in "iu" else values for n, values in columns.items()}


def read_images(
    builder: tfds.core.DatasetBuilder,
    split: str,
    config: DataConfig,
    *,
    size: tuple[int, int],
    keep: np.ndarray | None = None,
    features: Sequence[str] = ("image",),
) -> Images:
    """The images, resized to (height, width), of all examples or those that the [N] bool mask keeps, in their order.

    An example with several image features gives one image of each, one after the other.
    """
    return read_both(builder, split, config, size=size, keep=keep, features=features, names=())[0]


def read_both(
    builder: tfds.core.DatasetBuilder,
    split: str,
    config: DataConfig,
    *,
    size: tuple[int, int],
    names: Sequence[str],
    keep: np.ndarray | None = None,
    features: Sequence[str] = ("image",),
) -> tuple[Images, Columns]:
    """`read_images`, and `read_columns` of all examples, in one pass unless the images are on disk already."""
    keep = np.ones(builder.info.splits[split].num_examples, bool) if keep is None else keep
    prepared = (Path(builder.data_path) / "dataset_info.json").stat().st_mtime_ns
    content = repr((builder.info.full_name, prepared, split, size, features)).encode() + keep.tobytes()
    name = f"{builder.name}-{hashlib.sha256(content).hexdigest()[:16]}"
    shape = (*size, builder.info.features[features[0]].shape[-1])
    seen: list[Columns] = []
    images = _resized(builder, split, features, keep, size, names, seen)
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
    names: Sequence[str],
    seen: list[Columns],
) -> Iterator[np.ndarray]:
    """The images one by one; the columns of these names go into `seen`."""
    same_size = all(None not in builder.info.features[name].shape for name in features)
    position = 0
    for batch in _batches(builder, split, [*features, *names], _BATCH if same_size else 1):
        seen.append({name: batch[name] for name in names})
        chosen = keep[position : position + len(batch[features[0]])]
        position += len(chosen)
        images = [resize(batch[name][chosen], *size) for name in features]
        for of_one_example in zip(*images, strict=True):
            yield from of_one_example


def _batches(builder: tfds.core.DatasetBuilder, split: str, names: Sequence[str], batch_size: int) -> Iterator[Columns]:
    """These features alone, in the order of the files."""
    others = {name: tfds.decode.SkipDecoding() for name in builder.info.features if name not in names}
    settings = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    try:
        examples = builder.as_dataset(split=split, decoders=others, read_config=settings)
        yield from examples.map(lambda example: {n: example[n] for n in names}).batch(batch_size).as_numpy_iterator()
    except (tf.errors.OpError, OSError) as error:
        raise DataError(_damaged(builder, split, f"{type(error).__name__}: {error}".splitlines()[0])) from error


def _damaged(builder: tfds.core.DatasetBuilder, split: str, what: str) -> str:
    files = ", ".join(sorted({Path(one.filename).name for one in builder.info.splits[split].file_instructions}))
    return f"{builder.data_path}: {files} cannot be read to the end ({what}). Delete that folder and prepare it again."
