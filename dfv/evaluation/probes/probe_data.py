"""Data of a probe: one code of the encoded images, and labels."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dfv.evaluation.encoded_images import EncodedImages, EncodedSplits
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.labels import Labels, matched_factors

FAMILIES = ("network", "linear", "neighbours")
STRONGER_FAMILIES = ("deep", "trees")


def families_of_probes(stronger: bool) -> tuple[str, ...]:
    """The families of probes, with or without the stronger ones."""
    return FAMILIES + STRONGER_FAMILIES if stronger else FAMILIES


class ProbeSettings(NamedTuple):
    """A kind of probe.

    family: one of FAMILIES or STRONGER_FAMILIES.
    num_neighbours: number of neighbours that vote (family "neighbours" only).
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

    @cached_property
    def standardized_codes(self) -> BySplit[np.ndarray]:
        """The codes with mean 0 and standard deviation 1 on `train` in every dimension; a constant one becomes 0."""
        # In float32 the sum of many equal numbers is inexact, and a constant dimension would seem to vary.
        mean, deviation = (moment(self.codes.train, 0, dtype=np.float64) for moment in (np.mean, np.std))
        scale = np.where(deviation > 1e-6 * (1e-6 + np.abs(mean)), deviation, 1.0)
        centre, scale = mean.astype(np.float32), scale.astype(np.float32)
        return BySplit(*((part - centre) / scale for part in self.codes))


def probe_data(
    encoded: EncodedSplits, labels: Labels, code: str, *, num_seeds: int, unseen_identities: bool
) -> list[ProbeData]:
    """The data of a code, one of CODES, for each seed; only the noise of "z_sampled" differs between seeds.

    Codes of z contain only the dimensions that vary over the training images.

    unseen_identities: test identities are not in training, so that cross-validation keeps identities together.
    """
    z_dims = varying_z_dims(encoded.train)
    # The noise of each split has a seed of its own; codes without noise are the same object for all seeds.
    codes = [
        BySplit(*(select_code(images, code, 3 * seed + i, z_dims) for i, images in enumerate(encoded)))
        for seed in range(num_seeds if code == "z_sampled" else 1)
    ]
    columns = BySplit(
        labels.train[encoded.train.rows], labels.validation[encoded.validation.rows], labels.test[encoded.test.rows]
    )
    if unseen_identities:
        groups = BySplit(*(part.identity for part in encoded))
        matched = None  # The labels are attributes, which many identities share.
    else:
        groups = separate_groups(BySplit(*map(len, encoded)))
        matched = matched_or_none(BySplit(*(matched_factors(part.image_set) for part in encoded)))
    return [
        ProbeData(codes[seed % len(codes)], columns, labels.num_classes, groups, matched) for seed in range(num_seeds)
    ]


def varying_z_dims(images: EncodedImages) -> np.ndarray:
    """The dimensions [K] of z whose posterior is not the same for all images; all dimensions if none varies.

    Samples of a constant posterior are noise, and probes learn less from a few informative dimensions among hundreds of
    noise.
    """
    mean, log_var = images.z_mean, images.z_log_var
    varies = (mean != mean[:1]).any(0) | (log_var != log_var[:1]).any(0)
    return np.flatnonzero(varies if varies.any() else ~varies)


def select_code(images: EncodedImages, name: str, seed: int, z_dims: np.ndarray) -> np.ndarray:
    """The code of this name, one of CODES, [N, D] float32.

    seed: of the noise of "z_sampled". z_dims: [K], the dimensions of z that the code contains.
    """
    if name == "s":
        return images.s
    if name == "z_sampled":
        return images.z_sampled(seed)[:, z_dims]
    mean = images.z_mean[:, z_dims]
    return np.concatenate([mean, images.z_log_var[:, z_dims]], axis=1) if name == "z_mean_and_log_var" else mean


def separate_groups(sizes: BySplit[int]) -> BySplit[np.ndarray]:
    """A group of its own for each of this many independent images."""
    ends = np.cumsum(list(sizes))
    return BySplit(*np.split(np.arange(ends[-1]), ends[:-1]))


def matched_or_none(groups: BySplit[np.ndarray]) -> BySplit[np.ndarray] | None:
    """The groups of `matched_factors`, or None if `train` or `validation` has only one."""
    return groups if groups.train.any() and groups.validation.any() else None
