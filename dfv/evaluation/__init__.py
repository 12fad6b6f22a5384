"""What a trained model has learnt: Table 1, swaps judged, figures and a report."""

from dfv.evaluation.evaluation import evaluate

__all__ = ["evaluate"]
