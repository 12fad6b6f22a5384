"""Keras callbacks of a training run, for `dfv.training.trainer` and for `model.fit`.

With `fit`, pass them in this order, with your own callbacks before StopOnSignal:
CheckFinite, MetricsCsv, Summaries, Progress, StopOnSignal, KeepBest, FitLatentTransform, Checkpointing.
"""

from dfv.training.callbacks.check_finite import CheckFinite
from dfv.training.callbacks.checkpointing import Checkpointing
from dfv.training.callbacks.keep_best import KeepBest
from dfv.training.callbacks.latent_transform import FitLatentTransform
from dfv.training.callbacks.metrics_csv import MetricsCsv
from dfv.training.callbacks.progress import Progress
from dfv.training.callbacks.stop_on_signal import StopOnSignal
from dfv.training.callbacks.summaries import Summaries
from dfv.training.callbacks.swap_grid import SwapGrid

__all__ = [
    "CheckFinite",
    "Checkpointing",
    "FitLatentTransform",
    "KeepBest",
    "MetricsCsv",
    "Progress",
    "StopOnSignal",
    "Summaries",
    "SwapGrid",
]
