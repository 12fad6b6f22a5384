"""Evaluates a trained model: identity leakage (Table 1), swaps, image quality, figures, and a report."""

from typing import TYPE_CHECKING

from dfv.lazy_attributes import lazy_attributes

if TYPE_CHECKING:
    from dfv.evaluation.evaluation import evaluate
    from dfv.evaluation.results import Results
    from dfv.evaluation.sampling import SampleSizes

__all__ = ["Results", "SampleSizes", "evaluate"]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "Results": "dfv.evaluation.results",
        "SampleSizes": "dfv.evaluation.sampling",
        "evaluate": "dfv.evaluation.evaluation",
    },
)
