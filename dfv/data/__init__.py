"""Sources of images grouped by identity, behind one interface."""

from importlib import import_module
from typing import Any

from dfv.config import DataConfig
from dfv.data.arrays import from_arrays
from dfv.data.finishing import finish
from dfv.data.image_set import DataError, ImageSet, Splits

__all__ = ["DataError", "ImageSet", "Splits", "from_arrays", "from_tfds", "load"]

# Imported when asked for: most bring TensorFlow with them.
_SOURCES = {
    "toy_sprites": ("dfv.data.toy_sprites", "load"),
    "image_folder": ("dfv.data.image_folder", "load"),
    "arrays": ("dfv.data.arrays", "load"),
    "mnist": ("dfv.data.tfds_sets", "load_mnist"),
    "smallnorb": ("dfv.data.tfds_sets", "load_smallnorb"),
    "sprites": ("dfv.data.sprites", "load"),
    "yaleb": ("dfv.data.yaleb", "load"),
}


def load(config: DataConfig) -> Splits:
    """The splits of config.dataset, identities numbered from 0; raises DataError if the data is missing or wrong."""
    module, function = _SOURCES[config.dataset]
    return finish(getattr(import_module(module), function)(config), config)


def __getattr__(name: str) -> Any:
    if name == "from_tfds":
        return import_module("dfv.data.tfds_sets").from_tfds
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
