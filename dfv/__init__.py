"""dfv: learns what varies (z) and what stays (s) in images grouped by identity. See README.md."""

import os
from typing import TYPE_CHECKING, Any

from dfv.config.schema import Config, ConfigError

if TYPE_CHECKING:
    from dfv.model.disentangler import Disentangler
    from dfv.model.latent.fitting import fit_z
    from dfv.training.callbacks import SwapGrid
    from dfv.training.run_folder import load

__all__ = ["Config", "ConfigError", "Disentangler", "SwapGrid", "fit_z", "load"]
__version__ = "0.1.0"

# Read when TensorFlow is imported. It leaves oneDNN off on processors without AVX512, where it halves the step's time.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# TensorFlow takes seconds to import, so what needs it is imported when it is asked for.
_LAZY = {
    "Disentangler": "dfv.model.disentangler",
    "SwapGrid": "dfv.training.callbacks",
    "fit_z": "dfv.model.latent.fitting",
    "load": "dfv.training.run_folder",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'dfv' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)
