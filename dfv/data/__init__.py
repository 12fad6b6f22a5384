"""Loads data sets of images that are labelled with an identity."""

from importlib import import_module
from typing import Any

from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.data.preprocessing import preprocess
from dfv.data.sources.arrays import from_arrays

__all__ = ["DataError", "ImageSet", "Splits", "from_arrays", "from_tfds", "load"]


def load(config: DataConfig) -> Splits:
    """Returns the train, validation and test splits of config.dataset, with identities numbered from 0.

    Raises DataError if the data is missing or invalid.
    """
    # Imported on first use, since most sources import TensorFlow.
    return preprocess(import_module(f"dfv.data.sources.{config.dataset}").load(config), config)


def __getattr__(name: str) -> Any:
    if name == "from_tfds":
        return import_module("dfv.data.sources.tfds").from_tfds
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
