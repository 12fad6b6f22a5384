"""What a probe is trained and evaluated on: one code of the encoded images, and labels."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from dfv.evaluation.encoded_images import EncodedSplits
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.labels import Labels, matched_factors


class ProbeSettings(NamedTuple):
    """A kind of probe.

    family: "network", "linear" or "neighbours".
    num_neighbours: that vote, of "neighbours" only.
    standardized: whether each dimension of the code is scaled to mean 0 and standard deviation 1.
    """

    family: str
    num_neighbours: int | None = None
    standardized: bool = True


@dataclass(frozen=True)
class ProbeData:
    """One code and its labels: `train` trains probes, `validation` stops their training, `test` evaluates them.

    codes: [N, D] float32.
    labels: [N, L] int32, column l from 0 to num_classes[l] - 1.
    groups: [N] int, images that cross-validation keeps in one fold.
    matched: [N] int, groups of images with the same known factors; None where labels are not permuted within them.
    """

    codes: BySplit[np.ndarray]
    labels: BySplit[np.ndarray]
    num_classes: tuple[int, ...]
    groups: BySplit[np.ndarray]
    matched: BySplit[np.ndarray] | None = None

    def standardized(self) -> "ProbeData":
        """The same with codes of mean 0 and standard deviation 1 on `train`; a constant dimension becomes 0."""
        # In float32 the sum of many equal numbers is inexact, and a constant dimension would seem to vary.
        mean, deviation = (moment(self.codes.train, 0, dtype=np.float64) for moment in (np.mean, np.std))
        scale = np.where(deviation > 1e-6 * (1e-6 + np.abs(mean)), deviation, 1.0)
        centre, scale = mean.astype(np.float32), scale.astype(np.float32)
        return replace(self, codes=BySplit(*((part - centre) / scale for part in self.codes)))


def probe_data(
    encoded: EncodedSplits, labels: Labels, code: str, *, num_seeds: int, unseen_identities: bool
) -> list[ProbeData]:
    """The data of a code, one of CODES, for each seed; only the noise of "z_sampled" differs between seeds.

    unseen_identities: test identities are not in training, so that cross-validation keeps identities together.
    """
    codes = encoded.codes(code, num_seeds)
    columns = BySplit(
        labels.train[encoded.train.rows], labels.validation[encoded.validation.rows], labels.test[encoded.test.rows]
    )
    if unseen_identities:
        groups = BySplit(*(part.identity for part in encoded))
        matched = None  # The labels are attributes, which many identities share.
    else:
        ends = np.cumsum([len(part) for part in encoded])
        groups = BySplit(*np.split(np.arange(ends[-1]), ends[:-1]))
        matched = _matched(encoded)
    return [ProbeData(of_seed, columns, labels.num_classes, groups, matched) for of_seed in codes]


def _matched(encoded: EncodedSplits) -> BySplit[np.ndarray] | None:
    groups = BySplit(*(matched_factors(part.image_set) for part in encoded))
    return groups if groups.train.any() and groups.validation.any() else None
