"""The probes and tests of the evaluation, applied to codes that have been checked."""

import dataclasses
import logging
import time
from collections.abc import Sequence

import numpy as np

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.labels import groups_of_equal, labels_of_factors
from dfv.evaluation.leakage.labelled_codes import LabelledCodes
from dfv.evaluation.leakage.results import LeakageResults
from dfv.evaluation.metrics.dependence import HsicTest, hsic_test
from dfv.evaluation.metrics.factors import FactorError, factor_errors
from dfv.evaluation.metrics.leakage import code_leakage
from dfv.evaluation.probes.probe_data import ProbeData, families_of_probes, matched_or_none, separate_groups
from dfv.evaluation.probes.selection import ProbeErrors
from dfv.evaluation.sampling import SampleSizes, sample_groups, sample_rows
from dfv.provenance import current_provenance

LOGGER = logging.getLogger(__name__)


def probe(splits: BySplit[LabelledCodes], seeds: int, stronger_probes: bool, sizes: SampleSizes) -> LeakageResults:
    """Trains the probes this many times, and returns all results."""
    started = time.monotonic()
    code_dim = splits.train.codes.shape[1]
    limits = BySplit(sizes.probe_train_images(code_dim), sizes.validation_images, sizes.test_images)
    splits = BySplit(*(part.select(sample_rows(len(part), n)) for part, n in zip(splits, limits, strict=True)))
    LOGGER.info("Training each probe %d times on %d codes", seeds, len(splits.train))
    data, clusters = _probe_data(splits), splits.test.groups
    names = tuple(map(str, range(len(data.num_classes))))
    families = families_of_probes(stronger_probes)
    leakage = code_leakage([data] * seeds, names, sizes, ProbeErrors.leakage, clusters, {}, families)
    LOGGER.info("Testing independence and predicting the known factors")
    return LeakageResults(
        code_dim=code_dim,
        num_codes=BySplit(*map(len, splits)),
        num_classes=data.num_classes,
        num_groups=None if clusters is None else len(np.unique(clusters)),
        probe_seeds=seeds,
        leakage=leakage,
        dependence=_dependence(splits.test, sizes),
        factors=_factor_errors(splits, data, seeds, sizes),
        provenance=current_provenance((time.monotonic() - started) / 60),
    )


def _probe_data(splits: BySplit[LabelledCodes]) -> ProbeData:
    codes = BySplit(*(part.codes.astype(np.float32) for part in splits))
    columns = [_classes(column) for column in zip(*(part.label_columns.T for part in splits), strict=True)]
    labels = BySplit(*(np.stack(part, axis=1) for part in zip(*columns, strict=True)))
    num_classes = tuple(_number(column) for column in columns)
    given = [part.groups for part in splits if part.groups is not None]
    if given:  # no matched factors, as in the evaluation of unseen identities
        return ProbeData(codes, labels, num_classes, _classes(given))
    matched = matched_or_none(BySplit(*(groups_of_equal(part.factors, len(part)) for part in splits)))
    return ProbeData(codes, labels, num_classes, separate_groups(BySplit(*map(len, splits))), matched)


def _classes(columns: Sequence[np.ndarray]) -> BySplit[np.ndarray]:
    """The values [N] of every split as int32, numbered from 0 over all splits."""
    names = np.unique(np.concatenate(columns))
    return BySplit(*(np.searchsorted(names, column).astype(np.int32) for column in columns))


def _number(classes: BySplit[np.ndarray]) -> int:
    return 1 + max(int(part.max()) for part in classes)


def _dependence(test: LabelledCodes, sizes: SampleSizes) -> HsicTest:
    matched = groups_of_equal(test.factors, len(test))
    rows = sample_groups(matched, sizes.dependence_images)
    names = test.label_columns if test.groups is None else test.groups[:, None]
    _, identity = np.unique(names[rows], axis=0, return_inverse=True)
    codes = test.codes[rows].astype(np.float32)
    return hsic_test(codes, identity.ravel(), sizes.permutations, groups=matched[rows])


def _factor_errors(
    splits: BySplit[LabelledCodes], data: ProbeData, seeds: int, sizes: SampleSizes
) -> dict[str, FactorError]:
    factors: BySplit[dict[str, np.ndarray]] = BySplit({}, {}, {})
    for name, values in splits.train.factors.items():
        columns = [part.factors[name] for part in splits]
        is_measure = values.dtype.kind == "f"
        numbers = BySplit(*(c.astype(np.float32) for c in columns)) if is_measure else _classes(columns)
        for part, column in zip(factors, numbers, strict=True):
            part[name] = column
    labels = labels_of_factors(factors)
    if labels is None:
        return {}
    parts = BySplit(labels.train, labels.validation, labels.test)
    of_factors = dataclasses.replace(data, labels=parts, num_classes=labels.num_classes)
    errors = factor_errors([of_factors] * seeds, sizes.probe_epochs, splits.test.groups)
    return dict(zip(labels.names, errors, strict=True))
