"""Codes whose information about their labels is known."""

import numpy as np

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.probe_data import ProbeData
from dfv.evaluation.sampling import SampleSizes

SAMPLE_SIZES = SampleSizes(probe_epochs=12, validation_images=500)
CLASSES, DIM, SIZES = 4, 6, (600, 520, 500)


def data_of(make_codes, seed: int = 0, weights: tuple[float, ...] = (0.25,) * 4) -> ProbeData:
    """Data whose codes are make_codes(labels [N], rng); weights: the labels' frequencies."""
    rng = np.random.default_rng(seed)
    labels = [rng.choice(CLASSES, size, p=weights) for size in SIZES]
    codes = BySplit(*(make_codes(part, rng).astype(np.float32) for part in labels))
    columns = BySplit(*(part[:, None].astype(np.int32) for part in labels))
    return ProbeData(codes, columns, (CLASSES,), BySplit(*(np.arange(size) for size in SIZES)))


def perfect(labels, rng):
    return np.eye(DIM)[labels] + 0.05 * rng.standard_normal((len(labels), DIM))


def constant(labels, rng):
    return np.full((len(labels), DIM), 3.7)


def random(labels, rng):
    return rng.standard_normal((len(labels), DIM))


def in_scale(labels, rng):
    return 2.0 ** (2 * labels[:, None]) * rng.standard_normal((len(labels), DIM))


def balanced(identity_scale: float) -> ProbeData:
    """Six identities show each of sixty poses once over the three splits; codes of the pose, and of the identity."""
    rng = np.random.default_rng(0)
    pose, identity = (each.ravel() for each in np.meshgrid(np.arange(60), np.arange(6), indexing="ij"))
    split = np.concatenate([rng.permuted([0, 0, 0, 1, 2, 2]) for _ in range(60)])
    codes = rng.standard_normal((60, DIM))[pose] + 0.05 * rng.standard_normal((len(pose), DIM))
    codes += identity_scale * rng.standard_normal((6, DIM))[identity]
    codes, labels, poses = (
        BySplit(*(values[split == part] for part in range(3)))
        for values in (np.float32(codes), np.int32(identity[:, None]), pose)
    )
    return ProbeData(codes, labels, (6,), BySplit(*(np.flatnonzero(split == part) for part in range(3))), poses)
