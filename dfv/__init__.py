"""Disentangles the identity of images (s) from everything else (z), after Mathieu et al., NIPS 2016.

The public API consists of the attributes of this package. They are imported on first use, because importing
TensorFlow takes seconds.
"""

import os
from typing import TYPE_CHECKING

from dfv.config.schema import Config, ConfigError
from dfv.lazy_attributes import lazy_attributes

if TYPE_CHECKING:
    from dfv.data import from_arrays, from_tfds
    from dfv.data import load as load_data
    from dfv.data.dataset import DataError
    from dfv.data.pipeline import triplets
    from dfv.evaluation import evaluate
    from dfv.model.codec import Codec
    from dfv.model.disentangler import Disentangler
    from dfv.model.latent.fit import fit_latent
    from dfv.training.callbacks import SwapGrid
    from dfv.training.errors import RunError
    from dfv.training.model_files import load

__version__ = "0.1.0"  # the one place; pyproject.toml reads it from here
__all__ = [
    "Codec",
    "Config",
    "ConfigError",
    "DataError",
    "Disentangler",
    "RunError",
    "SwapGrid",
    "__version__",
    "evaluate",
    "fit_latent",
    "from_arrays",
    "from_tfds",
    "load",
    "load_data",
    "triplets",
]

# Read when TensorFlow is imported. It leaves oneDNN off on processors without AVX512, where it halves the step's time.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

if not TYPE_CHECKING:  # so that type checkers report unknown names
    __getattr__, __dir__ = lazy_attributes(
        __name__,
        {
            "Codec": "dfv.model.codec",
            "DataError": "dfv.data.dataset",
            "Disentangler": "dfv.model.disentangler",
            "RunError": "dfv.training.errors",
            "SwapGrid": "dfv.training.callbacks",
            "evaluate": "dfv.evaluation",
            "fit_latent": "dfv.model.latent.fit",
            "from_arrays": "dfv.data",
            "from_tfds": "dfv.data",
            "load": "dfv.training.model_files",
            "load_data": "dfv.data:load",
            "triplets": "dfv.data.pipeline",
            "fit_z": "dfv.model.latent.fit",  # the earlier name
        },
    )
