"""The strongest probe on codes whose information is known, and cross-validation."""

import dataclasses

import numpy as np
import pytest

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.metrics.leakage import probe_result
from dfv.evaluation.probes.neighbours import NeighbourProbes
from dfv.evaluation.probes.probe_data import FAMILIES, ProbeData, ProbeSettings, families_of_probes
from dfv.evaluation.probes.probe_result import ProbeResult
from dfv.evaluation.probes.selection import ProbeErrors, cross_validation_folds, needs_cross_validation, select_probes
from dfv.evaluation.probes.softmax_classifier import network_predictions
from dfv.evaluation.sampling import SampleSizes
from tests.evaluation.probes.synthetic_codes import (
    DIM,
    SAMPLE_SIZES,
    SIZES,
    constant,
    data_of,
    in_scale,
    perfect,
    random,
)


def results_of(
    *data: ProbeData, sizes: SampleSizes = SAMPLE_SIZES, families: tuple[str, ...] = FAMILIES
) -> dict[str, ProbeResult]:
    """Family -> the result of its best probe, and "strongest"; data: of each seed."""
    selected = select_probes(list(data), sizes, ProbeErrors.leakage, families)
    probes = selected.by_family | {"strongest": selected.strongest}
    return {name: probe_result(probe) for name, probe in probes.items()}


def test_every_probe_predicts_from_a_perfect_code():
    results = results_of(data_of(perfect))
    assert all(result.test_error == 0 for result in results.values())
    assert results["strongest"].leakage.mean > 0.4
    assert [results[family].family for family in ("network", "linear", "neighbours")] == [
        "network",
        "linear",
        "neighbours",
    ]


@pytest.mark.parametrize("code", [constant, random])
def test_the_error_of_a_code_without_information_is_the_baseline(code):
    for result in results_of(*(data_of(code, seed) for seed in range(2))).values():
        assert result.test_error == pytest.approx(0.75, abs=0.06)
        assert not result.leakage.is_significant() and result.matched_leakage is None


def test_information_in_the_scale_is_found_though_no_linear_probe_can():
    results = results_of(data_of(in_scale))
    assert results["linear"].test_error > 0.55
    assert results["strongest"].test_error < 0.3 and results["strongest"].family != "linear"


def test_information_in_the_variance_is_found_from_mean_and_log_variance_alone():
    def mean(labels, rng):
        return rng.standard_normal((len(labels), DIM))

    def both(labels, rng):
        return np.concatenate([mean(labels, rng), np.tile(-0.1 * labels[:, None], DIM)], axis=1)

    assert not results_of(data_of(mean))["strongest"].leakage.is_significant()
    assert results_of(data_of(both))["strongest"].test_error < 0.02


def test_test_labels_take_no_part_in_training():
    """A probe that saw the test images would learn their labels, which are independent of their codes."""
    honest = data_of(perfect)
    shuffled = np.random.default_rng(5).permutation(honest.labels.test)
    wrong = dataclasses.replace(honest, labels=dataclasses.replace(honest.labels, test=shuffled))
    strongest = results_of(wrong)["strongest"]
    assert strongest.train_error == 0 and strongest.test_error > 0.65


def test_few_validation_images_have_probes_selected_by_cross_validation():
    """Forty on which the linear probe happens to be right and no other one: by them alone it would be selected."""
    data = data_of(in_scale)
    one_neighbour = ProbeSettings("neighbours", 1, standardized=False)
    predicted = [
        network_predictions(data, (), seed=0, max_epochs=4),
        network_predictions(data, (256,), seed=0, max_epochs=4),
        NeighbourProbes(data, 10).predictions(data.labels.train, data.num_classes, one_neighbour),
    ]
    linear, *others = ((parts.validation == data.labels.validation)[:, 0] for parts in predicted)
    rows = np.argsort(np.sum(others, 0) - 3 * linear, kind="stable")[:40]
    few = ProbeData(
        dataclasses.replace(data.codes, validation=data.codes.validation[rows]),
        dataclasses.replace(data.labels, validation=data.labels.validation[rows]),
        data.num_classes,
        dataclasses.replace(data.groups, validation=data.groups.validation[rows] + 600),
    )
    selected = [
        results_of(few, sizes=dataclasses.replace(SAMPLE_SIZES, probe_epochs=4, min_validation_images=least))
        for least in (0, 500)
    ]
    assert selected[0]["strongest"].family == "linear" != selected[1]["strongest"].family


@pytest.mark.parametrize(("train", "validation"), [(54, 6), (50, 40)], ids=["folds have fewer", "folds have more"])
def test_a_fold_may_have_another_number_of_codes_than_there_are_neighbours(train, validation):
    data = data_of(perfect)
    codes, labels = (
        BySplit(part.train[:train], part.validation[:validation], part.test) for part in (data.codes, data.labels)
    )
    groups = BySplit(np.arange(train), train + np.arange(validation), data.groups.test)
    few = ProbeData(codes, labels, data.num_classes, groups)
    assert results_of(few, sizes=dataclasses.replace(SAMPLE_SIZES, probe_epochs=2))["neighbours"].test_error < 0.05


def test_every_code_is_in_the_test_part_of_one_fold_and_groups_stay_together():
    data = data_of(random)
    data = dataclasses.replace(data, groups=BySplit(*(ids % 37 for ids in data.groups)))
    folds = list(cross_validation_folds(data, 5, seed=0))
    assert sum(len(fold.codes.test) for fold in folds) == SIZES[0] + SIZES[1]
    for fold in folds:
        train, validation, test = (set(part) for part in fold.groups)
        assert not (train & validation or train & test or validation & test)


def test_few_unseen_identities_need_cross_validation_whatever_their_images():
    data, sizes = data_of(random), SampleSizes(min_validation_images=500, min_validation_identities=30)
    assert not needs_cross_validation(data, sizes)
    few = dataclasses.replace(data, groups=BySplit(*(ids % 5 for ids in data.groups)))
    assert needs_cross_validation(few, sizes)
    assert not needs_cross_validation(few, dataclasses.replace(sizes, min_validation_identities=5))


def test_with_two_groups_probes_are_selected_by_validation_images():
    data = data_of(perfect)
    groups = BySplit(np.zeros(SIZES[0], int), np.ones(SIZES[1], int), np.full(SIZES[2], 2))
    assert results_of(dataclasses.replace(data, groups=groups))["strongest"].test_error < 0.05


def test_stronger_probes_find_what_others_find_and_the_strongest_may_be_one_of_them():
    """An exclusive or of two signs tells two labels from the two others: no linear probe finds it."""

    def exclusive_or(labels, rng):
        codes = rng.standard_normal((len(labels), DIM))
        codes[:, 0] = np.sign(codes[:, 1]) * np.where(labels % 2, 1, -1) * np.abs(codes[:, 0])
        return codes

    families = families_of_probes(stronger=True)
    results = results_of(data_of(exclusive_or), families=families)
    assert list(results) == ["network", "linear", "neighbours", "deep", "trees", "strongest"]
    assert results["linear"].test_error > 0.65
    for family in ("trees", "deep", "strongest"):  # 0.5 is the lowest possible
        assert results[family].test_error < 0.65 and results[family].leakage.is_significant()
    assert not results_of(data_of(random), families=families)["strongest"].leakage.is_significant()
