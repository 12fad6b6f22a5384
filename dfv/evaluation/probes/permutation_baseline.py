"""Permuted labels, for the permutation baseline: the error of a probe that is trained on them.

A probe trained on permuted labels learns only how often each label occurs, so its error is that of a code without
information. Leakage is the baseline's error minus the probe's.
"""

from dataclasses import replace

import numpy as np

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.probe_data import ProbeData
from dfv.evaluation.sampling import permute_within


def permute_labels(data: ProbeData, seed: int, groups: BySplit[np.ndarray] | None = None) -> ProbeData:
    """The same data with the labels of `train` and `validation` permuted; those of `test` are unchanged.

    groups: [N] int; labels are permuted within each group instead of over the whole split.
    """
    rng = np.random.default_rng(seed)
    train, validation = data.labels.train, data.labels.validation
    if groups is None:
        train, validation = rng.permutation(train), rng.permutation(validation)
    else:
        train, validation = (
            train[permute_within(groups.train, rng)],
            validation[permute_within(groups.validation, rng)],
        )
    return replace(data, labels=BySplit(train, validation, data.labels.test))
