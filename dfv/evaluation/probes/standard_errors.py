"""Error rates with standard errors."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error, both in the unit of the values."""

    mean: float
    standard_error: float

    def is_significant(self) -> bool:
        """Whether the mean is more than two standard errors from zero."""
        return abs(self.mean) > 2 * self.standard_error


def estimate(values: np.ndarray, clusters: np.ndarray | None = None) -> Estimate:
    """The mean over seeds and images of values [seeds, N].

    Its standard error adds that over images, the seeds averaged, to that over seeds. Images of one cluster ([N])
    count as dependent: their deviations are summed before they are squared.
    """
    per_image = values.mean(0)
    total, number = per_image.mean(), len(per_image)
    deviations = per_image - total
    if clusters is not None:
        deviations = np.bincount(np.unique(clusters, return_inverse=True)[1], deviations)
    groups = len(deviations)
    over_images = groups / max(groups - 1, 1) * np.sum(deviations**2) / number**2
    over_seeds = values.mean(1).var(ddof=1) / len(values) if len(values) > 1 else 0.0
    return Estimate(float(total), float(np.sqrt(over_images + over_seeds)))
