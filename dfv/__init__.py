"""dfv: learns what varies (z) and what stays (s) in images grouped by identity. See README.md."""

import os
from typing import TYPE_CHECKING, Any

from dfv.config import Config, ConfigError

if TYPE_CHECKING:
    from dfv.callbacks import SwapGrid
    from dfv.model.disentangler import Disentangler
    from dfv.model.z_fitting import fit_z
    from dfv.runs import load

__all__ = ["Config", "ConfigError", "Disentangler", "SwapGrid", "fit_z", "load"]
__version__ = "0.1.0"

# Read when TensorFlow is imported. It leaves oneDNN off on processors without AVX512, where it halves the step's time.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# TensorFlow takes seconds to import, so what needs it is imported when it is asked for.
_LAZY = {
    "Disentangler": "dfv.model.disentangler",
    "SwapGrid": "dfv.callbacks",
    "fit_z": "dfv.model.z_fitting",
    "load": "dfv.runs",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'dfv' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)
