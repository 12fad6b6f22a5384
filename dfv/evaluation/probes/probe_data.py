"""What a probe is given: codes and labels of three splits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from dfv.evaluation.sampling import permute_within


class Parts(NamedTuple):
    """One array for each split."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Task:
    """codes [N, D] float32; labels [N, L] int32, column l of sizes[l] classes; groups [N]: what folds keep together.

    alike: a number [N], the same for images of equal known factors; None where it is no matter.
    """

    codes: Parts
    labels: Parts
    sizes: tuple[int, ...]
    groups: Parts
    alike: Parts | None = None

    def permuted(self, seed: int) -> "Task":
        """The same with labels dealt out anew, image by image, to those who train and stop; test keeps its own."""
        rng = np.random.default_rng(seed)
        train, validation = (rng.permutation(part) for part in self.labels[:2])
        return replace(self, labels=Parts(train, validation, self.labels.test))

    def permuted_among_alike(self, seed: int) -> "Task":
        """Likewise, but dealt out among those alike: what a code tells of the known factors stays told."""
        assert self.alike is not None
        rng = np.random.default_rng(seed)
        own = zip(self.labels[:2], self.alike[:2], strict=True)
        train, validation = (part[permute_within(alike, rng)] for part, alike in own)
        return replace(self, labels=Parts(train, validation, self.labels.test))

    def standardised(self) -> "Task":
        """The same with every dimension of mean 0 and deviation 1 on the training split; a constant one stays 0."""
        # float32 would sum many equal numbers to another mean than theirs.
        mean, deviation = (moment(self.codes.train, 0, dtype=np.float64) for moment in (np.mean, np.std))
        scale = np.where(deviation > 1e-6 * (1e-6 + np.abs(mean)), deviation, 1.0)
        centre, scale = mean.astype(np.float32), scale.astype(np.float32)
        return replace(self, codes=Parts(*((part - centre) / scale for part in self.codes)))

    def needs_folds(self, images: int, groups: int) -> bool:
        """Whether validation has too few independent cases to compare probes, and folds, of three groups, can be had.

        Too few: fewer images or groups than these.
        """
        known = np.unique(self.groups.validation)
        few = len(self.groups.validation) < images or len(known) < groups
        return few and len(np.union1d(known, self.groups.train)) > 2

    def folds(self, number: int, seed: int) -> Iterator["Task"]:
        """Training and validation pooled and cut anew: a fold scores, the next one stops, the rest train.

        As many as there are groups, if those are fewer than `number`.
        """
        codes, labels, groups = (np.concatenate(parts[:2]) for parts in (self.codes, self.labels, self.groups))
        names, members = np.unique(groups, return_inverse=True)
        number = min(number, len(names))
        fold = np.random.default_rng(seed).permutation(len(names))[members] % number
        for scoring in range(number):
            stopping = (scoring + 1) % number
            masks = ((fold != scoring) & (fold != stopping), fold == stopping, fold == scoring)
            cut = [Parts(*(values[mask] for mask in masks)) for values in (codes, labels, groups)]
            yield Task(cut[0], cut[1], self.sizes, cut[2])
