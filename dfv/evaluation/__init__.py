"""Evaluates a trained model: identity leakage (Table 1), swaps, image quality, figures, and a report."""

from dfv.evaluation.evaluation import evaluate
from dfv.evaluation.results import Results
from dfv.evaluation.sample_sizes import SampleSizes

__all__ = ["Results", "SampleSizes", "evaluate"]
