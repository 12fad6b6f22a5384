"""Means with standard errors."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error, in the unit of the values."""

    mean: float
    standard_error: float

    def is_significant(self) -> bool:
        """Whether the mean is more than two standard errors from zero."""
        return abs(self.mean) > 2 * self.standard_error


def estimate(values: np.ndarray, clusters: np.ndarray | None = None) -> Estimate:
    """The mean over seeds and images of values [seeds, N].

    Its squared standard error is that over images, of the mean over seeds, plus that over seeds. clusters: [N],
    images of one cluster are dependent (cluster-robust standard error). It is NaN for a single cluster or image.
    """
    per_image = values.mean(0)
    mean, number = per_image.mean(), len(per_image)
    deviations = per_image - mean
    if clusters is not None:
        deviations = np.bincount(np.unique(clusters, return_inverse=True)[1], deviations)
    num_clusters = len(deviations)
    if num_clusters < 2:
        return Estimate(float(mean), float("nan"))
    over_images = num_clusters / (num_clusters - 1) * np.sum(deviations**2) / number**2
    over_seeds = values.mean(1).var(ddof=1) / len(values) if len(values) > 1 else 0.0
    return Estimate(float(mean), float(np.sqrt(over_images + over_seeds)))
