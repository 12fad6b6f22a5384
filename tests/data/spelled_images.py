"""Images whose first two pixels spell a number, such as their row: tests read which images a batch or a split has."""

import numpy as np

from dfv.data.dataset import ImageSet
from dfv.data.pipeline import triplets

COUNTS = (3, 1, 2, 10, 1, 7)  # images of each identity: two identities can be x2 alone
KEYS = ("x1", "x1_same", "x2", "labels1", "labels2")


def spelled(num_images: int, shape: tuple[int, int, int] = (5, 6, 3)) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 256, (num_images, *shape), np.uint8)
    return spell(images, np.arange(num_images))


def spell(images: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Writes numbers[i], base 256, into image i."""
    images[:, 0, 0, 0], images[:, 0, 1, 0] = np.divmod(numbers, 256)
    return images


def shown(images: np.ndarray) -> np.ndarray:
    """The numbers that `spell` wrote."""
    return images[:, 0, 0, 0].astype(int) * 256 + images[:, 0, 1, 0]


def batches(image_set: ImageSet, num: int, batch_size: int = 8, seed: int = 5, **options) -> list[dict]:
    dataset = triplets(image_set, batch_size=batch_size, seed=seed, **options)
    return list(dataset.take(num).as_numpy_iterator())


def assert_uniform(cells: np.ndarray, num_cells: int) -> None:
    """Chi-square of equally likely cells, within five standard deviations of its mean."""
    observed = np.bincount(cells, minlength=num_cells)
    assert len(observed) == num_cells
    expected = len(cells) / num_cells
    statistic, freedom = ((observed - expected) ** 2 / expected).sum(), num_cells - 1
    assert abs(statistic - freedom) < 5 * np.sqrt(2 * freedom)
