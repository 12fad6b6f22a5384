"""Some images of a split, seen through it: nothing is read or copied until it is asked for."""

from collections.abc import Iterator

import numpy as np

from dfv.data.image_set import ImageSet
from dfv.data.views import Rows


def subset(part: ImageSet, rows: np.ndarray) -> ImageSet:
    """The images of these rows, in their order."""
    return ImageSet(
        Rows(part.images, rows),
        part.identity[rows],
        {name: values[rows] for name, values in part.attributes.items()},
        {name: values[rows] for name, values in part.factors.items()},
    )


def some_rows(number: int, limit: int, seed: int = 0) -> np.ndarray:
    """All rows of a split of this size if there are no more than `limit`, otherwise as many drawn ones, in order."""
    if number <= limit:
        return np.arange(number)
    return np.sort(np.random.default_rng(seed).choice(number, limit, replace=False))


def some_groups(groups: np.ndarray, limit: int, seed: int = 0) -> np.ndarray:
    """Rows of groups [N] that are taken whole, drawn until there are `limit`; in order."""
    names, members = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(names))[members]
    return np.sort(np.lexsort((rng.random(len(groups)), drawn))[:limit])


def batches(number: int, size: int = 1024) -> Iterator[np.ndarray]:
    """The rows 0 to number - 1 in batches."""
    for start in range(0, number, size):
        yield np.arange(start, min(start + size, number))
