"""Sources of images grouped by identity, behind one interface."""

from importlib import import_module
from typing import Any

from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.data.preprocessing import finish
from dfv.data.sources.arrays import from_arrays

__all__ = ["DataError", "ImageSet", "Splits", "from_arrays", "from_tfds", "load"]

# Imported when asked for: most bring TensorFlow with them.
_SOURCES = {
    "toy_sprites": ("dfv.data.sources.toy_sprites", "load"),
    "image_folder": ("dfv.data.sources.image_folder", "load"),
    "arrays": ("dfv.data.sources.arrays", "load"),
    "mnist": ("dfv.data.sources.tfds", "load_mnist"),
    "smallnorb": ("dfv.data.sources.tfds", "load_smallnorb"),
    "sprites": ("dfv.data.sources.sprites", "load"),
    "yaleb": ("dfv.data.sources.yaleb", "load"),
}


def load(config: DataConfig) -> Splits:
    """The splits of config.dataset, identities numbered from 0; raises DataError if the data is missing or wrong."""
    module, function = _SOURCES[config.dataset]
    return finish(getattr(import_module(module), function)(config), config)


def __getattr__(name: str) -> Any:
    if name == "from_tfds":
        return import_module("dfv.data.sources.tfds").from_tfds
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
