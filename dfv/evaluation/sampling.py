"""How many images an evaluation uses; rows drawn with a fixed seed, paired, permuted, and cut into batches."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dfv.config.fields import ConfigError
from dfv.data.dataset import DataError
from dfv.evaluation.evaluation_splits import BySplit

MIN_GROUP_SAMPLE = 50


def check_seeds(seeds: int) -> None:
    """Raises ConfigError for less than one seed of the probes."""
    if seeds < 1:
        raise ConfigError(f"seeds: expected 1 or more, the number of times that each probe is trained; got {seeds}.")


@dataclass(frozen=True)
class SampleSizes:
    """Upper limits, with defaults for small standard errors in a few minutes on a CPU.

    From larger sets, a random sample with a fixed seed is used.
    """

    train_images: int = 50_000  # of the probes
    train_numbers: int = 10_000_000  # train_images times the dimension of z
    validation_images: int = 5_000
    test_images: int = 10_000
    probe_epochs: int = 100
    min_validation_images: int = 500  # with fewer, the strongest probe is chosen by cross-validation
    min_validation_identities: int = 30  # likewise, where test identities are not in training
    oracle_images: int = 50_000
    oracle_epochs: int = 15
    oracle_steps: int = 500  # at least; more epochs are trained on small sets
    oracle_pixels: int = 300_000_000  # images times epochs times height times width
    swaps: int = 5_000
    analogies: int = 5_000
    reconstructions: int = 5_000
    image_quality: int = 5_000
    dependence_images: int = 2_000
    permutations: int = 200
    retrieval_queries: int = 1_000
    code_pictures: int = 2_000

    def probe_train_images(self, z_dim: int) -> int:
        """The number of training images whose codes the probes are trained on."""
        return min(self.train_images, max(self.train_numbers // z_dim, 1_000))

    def oracle_training(self, num_images: int, height: int, width: int, batch: int) -> tuple[int, int]:
        """The numbers of training images and of epochs of an oracle classifier."""
        passes = self.oracle_pixels // (height * width)
        images = min(num_images, self.oracle_images, max(passes // 5, 1_000))
        at_least = math.ceil(self.oracle_steps / max(images // batch, 1))
        return images, max(min(self.oracle_epochs, passes // images), at_least)


def sample_rows(num_rows: int, limit: int, seed: int = 0) -> np.ndarray:
    """Row numbers [min(num_rows, limit)] in ascending order: all, or a random sample without replacement."""
    if num_rows <= limit:
        return np.arange(num_rows)
    return np.sort(np.random.default_rng(seed).choice(num_rows, limit, replace=False))


def sample_groups(groups: np.ndarray, limit: int, seed: int = 0) -> np.ndarray:
    """At most `limit` row numbers in ascending order, from groups [N] in random order.

    A group contributes all its rows, or a random sample of limit / (number of groups) of them, at least
    MIN_GROUP_SAMPLE; so if there are many groups, some contribute none.
    """
    names, members = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(names))[members]
    order = np.lexsort((rng.random(len(groups)), drawn))
    place = np.arange(len(groups)) - np.searchsorted(drawn[order], drawn[order])
    return np.sort(order[place < max(limit // len(names), MIN_GROUP_SAMPLE)][:limit])


def permute_within(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random permutation [N] of the rows that maps every row to one of its own group [N]."""
    order = np.empty(len(groups), int)
    order[np.argsort(groups, kind="stable")] = np.lexsort((rng.random(len(groups)), groups))
    return order


def grouped_by_identity(identity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every row number [N]: identities in ascending order, the rows of each identity in random order."""
    order = rng.permutation(len(identity))
    return order[np.argsort(identity[order], kind="stable")]


def rows_within_identities(identity: np.ndarray, seed: int = 0) -> BySplit[np.ndarray]:
    """Divides the images of each identity [N] int at random: the rows of 60 % in `train`, 20 % in each other split."""
    turn = np.empty(len(identity), int)
    # Of any two images in a row one is in `train`, so that an identity of two images is there too.
    turn[grouped_by_identity(identity, np.random.default_rng(seed))] = np.arange(len(identity)) % 5
    return BySplit(*map(np.flatnonzero, (turn % 2 == 0, turn == 1, turn == 3)))


def pairs_of_other_identity(identity: np.ndarray, num_pairs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers (s source, z source), [num_pairs] each, uniform over all pairs of images of different identities.

    Raises DataError if all images are of one identity.
    """
    if len(np.unique(identity)) < 2:
        raise DataError(
            f"expected images of at least two identities; all {len(identity)} images are of one. Add"
            " images of other identities."
        )
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(identity), (2, num_pairs))
    while np.any(same := identity[first] == identity[second]):
        first[same], second[same] = rng.integers(0, len(identity), (2, int(same.sum())))
    return first, second


def pairs_of_same_identity(identity: np.ndarray, num_pairs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers (s source, z source), at most `num_pairs` each, of two different images of one identity.

    No image is the z source of two pairs.
    """
    rng = np.random.default_rng(seed)
    order = grouped_by_identity(identity, rng)
    starts = np.flatnonzero(np.r_[True, np.diff(identity[order]) != 0])
    counts = np.diff(np.r_[starts, len(order)])
    start, count = np.repeat(starts, counts), np.repeat(counts, counts)
    # The next image of the identity in random order; the first one after the last.
    partner = order[start + (np.arange(len(order)) - start + 1) % count]
    chosen = rng.permutation(np.flatnonzero(count > 1))[:num_pairs]
    return partner[chosen], order[chosen]


def batches(num_rows: int, size: int = 1024) -> Iterator[np.ndarray]:
    """The row numbers from 0 to num_rows - 1 in batches of this size, the last one smaller."""
    for start in range(0, num_rows, size):
        yield np.arange(start, min(start + size, num_rows))
