"""Opens builders of TensorFlow Datasets by name, and prepares their data sets."""

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import tensorflow_datasets as tfds
from absl import logging
from google.protobuf.json_format import ParseError

from dfv.config.paths import expand_home
from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError

_ORIGIN = """Expected what `tfds build {name}` writes, such as
  {path}/dataset_info.json
  {path}/{name}-train.tfrecord-00000-of-00001
It comes from {url}. Run `tfds build {name} --data_dir=DIR` where there is a network, copy DIR here, and set \
--data_dir=DIR."""


def open_builder(name: str, config: DataConfig) -> tfds.core.DatasetBuilder:
    """Returns the prepared builder of NAME, NAME/CONFIG or NAME:VERSION; raises DataError if there is none."""
    try:
        builder = tfds.builder(name, data_dir=config.data_dir or None)
    except tfds.core.registered.DatasetNotFoundError as error:
        place = config.data_dir or "~/tensorflow_datasets"
        raise DataError(
            f"{name}: TensorFlow Datasets has no such data set; `tfds.list_builders()` lists them. Nor is a prepared"
            f" one in --data_dir={place}, in a folder NAME/VERSION with dataset_info.json and features.json."
        ) from error
    except (tfds.core.dataset_info.DatasetInfoFileError, ParseError) as error:
        raise DataError(
            f"{name}: dataset_info.json below --data_dir={config.data_dir or '~/tensorflow_datasets'} cannot be read"
            f" ({error}). Delete the folder that it belongs to, and prepare the set again."
        ) from error
    except (AssertionError, TypeError, ValueError) as error:  # a wrong version, argument, config or form of the name
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"{name!r}: expected a data set of TensorFlow Datasets, as NAME, NAME/CONFIG or NAME:VERSION ({reason})."
        ) from error
    prepare(builder, _ORIGIN.format(name=name, path=builder.data_path, url=builder.info.homepage))
    return builder


def prepare(builder: tfds.core.DatasetBuilder, origin: str, manual_dir: Path | None = None) -> None:
    """Prepares the builder's data set, unless that was done before, and logs it.

    origin: which files are expected and where they come from, for error messages.
    manual_dir: the folder of files that cannot be downloaded; None if the builder downloads its files.
    Raises DataError if that folder has no files, if there is no network, or if the preparation fails.
    """
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


def manual_dir(builder: tfds.core.DatasetBuilder, config: DataConfig) -> Path:
    """Returns the folder of files that cannot be downloaded: config.manual_dir, or TFDS' default if that is empty."""
    if config.manual_dir:
        return expand_home("manual_dir", config.manual_dir)
    return Path(builder.data_path).parents[1] / "downloads" / "manual"


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
