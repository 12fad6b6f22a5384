"""Sources of images grouped by identity, behind one interface."""

from importlib import import_module
from typing import Any

from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.data.preprocessing import preprocess
from dfv.data.sources.arrays import from_arrays

__all__ = ["DataError", "ImageSet", "Splits", "from_arrays", "from_tfds", "load"]

# Each is dfv.data.sources.NAME, a module with `load(config)`; imported when it is asked for, since most import
# TensorFlow.
SOURCES = ("toy_sprites", "mnist", "sprites", "smallnorb", "yaleb", "image_folder", "arrays")


def load(config: DataConfig) -> Splits:
    """The splits of config.dataset, identities numbered from 0; raises DataError if the data is missing or wrong."""
    return preprocess(import_module(f"dfv.data.sources.{config.dataset}").load(config), config)


def __getattr__(name: str) -> Any:
    if name == "from_tfds":
        return import_module("dfv.data.sources.tfds").from_tfds
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
