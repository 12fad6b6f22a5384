"""Identity leakage of codes whose information about the identity is known."""

import dataclasses
import math

import numpy as np
import pytest

from dfv.data.dataset import ImageSet
from dfv.evaluation.encoded_images import CODES, EncodedImages, EncodedSplits, encode_splits
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.labels import Labels, identity_labels
from dfv.evaluation.metrics.leakage import measure_code_leakage, measure_leakage, probe_result
from dfv.evaluation.probes.probe_data import FAMILIES, ProbeSettings
from dfv.evaluation.probes.selection import ProbeErrors, SelectedProbes, TrainedProbe
from dfv.evaluation.probes.standard_errors import Estimate
from tests.evaluation.probes.synthetic_codes import CLASSES, SAMPLE_SIZES, data_of, perfect

LEAKAGE = "dfv.evaluation.metrics.leakage"


@pytest.mark.parametrize("exchanged", [False, True])
def test_the_code_that_has_the_identity_is_found(codec, make_splits, tiny, exchanged):
    splits = make_splits()
    encoded = encode_splits(codec(exchanged), splits, tiny)
    found = measure_leakage(encoded, identity_labels(splits), tiny, num_seeds=1, unseen_identities=False, subsets={})
    informative, other = ("z_mean", "s") if exchanged else ("s", "z_mean")
    assert getattr(found, informative).strongest.test_error == 0
    without = getattr(found, other).strongest
    assert without.test_error > 0.6 and without.leakage.mean < 0.2


def test_images_of_unseen_identities_are_dependent_and_probes_of_s_are_selected_by_accuracy(
    codec, make_splits, tiny, monkeypatch
):
    splits, selected_by, results = make_splits(unseen=True), [], []
    encoded = encode_splits(codec(), splits, tiny)

    def selection(data, sizes, criterion, families):
        selected_by.append((data[0], criterion))
        assert families == FAMILIES
        probe = TrainedProbe(ProbeSettings("linear"), [])
        return SelectedProbes(dict.fromkeys(FAMILIES, probe), probe)

    def result(probe, clusters=None, **part):
        results.append((clusters, part))

    monkeypatch.setattr(f"{LEAKAGE}.select_probes", selection)
    monkeypatch.setattr(f"{LEAKAGE}.probe_result", result)
    mask, labels = splits.test.identity > 20, identity_labels(splits)
    measure_leakage(
        encoded, labels, tiny, num_seeds=1, unseen_identities=True, subsets={"some": mask, "none": ~mask & mask}
    )
    assert [criterion for _, criterion in selected_by] == [
        ProbeErrors.accuracy if name == "s" else ProbeErrors.leakage for name in CODES
    ]
    for data, _ in selected_by:
        np.testing.assert_array_equal(data.groups.test, encoded.test.identity)
    for clusters, _ in results:
        np.testing.assert_array_equal(clusters, encoded.test.identity)
    rows_of_subsets = [part["rows"] for _, part in results if "rows" in part]
    assert len(rows_of_subsets) == len(CODES)
    for rows in rows_of_subsets:
        np.testing.assert_array_equal(rows, encoded.test.identity > 20)


def test_each_label_has_a_result_of_its_own():
    data, rng = data_of(perfect), np.random.default_rng(1)
    columns = BySplit(*(np.concatenate([part, rng.permutation(part)], axis=1) for part in data.labels))
    labels = Labels(("in the code", "not in the code"), (CLASSES, CLASSES), *columns)
    encoded = EncodedSplits(*(_encoded(codes) for codes in data.codes))
    found = measure_code_leakage(
        encoded, labels, "z_mean", SAMPLE_SIZES, num_seeds=1, unseen_identities=False, subsets={}
    )
    present, absent = (found.labels[name] for name in labels.names)
    assert present.leakage.mean > 0.5 and not absent.leakage.is_significant()
    assert found.strongest.test_error == pytest.approx((present.test_error + absent.test_error) / 2)
    assert found.strongest.leakage.mean == pytest.approx((present.leakage.mean + absent.leakage.mean) / 2)
    one = dataclasses.replace(labels, names=labels.names[:1], num_classes=(CLASSES,), **_first_column(labels))
    found = measure_code_leakage(encoded, one, "z_mean", SAMPLE_SIZES, num_seeds=1, unseen_identities=False, subsets={})
    assert found.labels == {}


def _errors(test: list[list[int]], baseline: list[list[int]]) -> ProbeErrors:
    """Of two labels; train and validation errors are 0.25 and 0.5 of one label."""
    train, validation = np.array([[1, 0], [0, 0]]), np.array([[1, 0]])
    return ProbeErrors(BySplit(train, validation, np.array(test)), BySplit(train, validation, np.array(baseline)))


def test_a_result_averages_over_labels_images_and_seeds_or_over_a_part():
    seeds = [_errors([[0, 0], [0, 1]], [[1, 1], [1, 1]]), _errors([[0, 1], [0, 1]], [[1, 1], [1, 1]])]
    settings = ProbeSettings("neighbours", 5, standardized=False)
    found = probe_result(TrainedProbe(settings, seeds))
    assert (found.family, found.num_neighbours, found.standardized) == settings
    assert (found.train_error, found.validation_error, found.test_error) == (0.25, 0.5, 0.375)
    assert found.test_error_std == pytest.approx(np.std([0.25, 0.5], ddof=1))
    assert found.permutation_baseline == 1 and found.leakage.mean == 0.625 and found.matched_leakage is None
    first_label = probe_result(TrainedProbe(settings, seeds), columns=[0])
    assert first_label.test_error == 0 and first_label.leakage == Estimate(1.0, 0.0)
    second_image = probe_result(TrainedProbe(settings, seeds), np.arange(2), rows=np.array([False, True]))
    assert second_image.test_error == 0.5 and second_image.leakage.mean == 0.5
    assert math.isnan(probe_result(TrainedProbe(settings, seeds[:1])).test_error_std)


def _encoded(codes: np.ndarray) -> EncodedImages:
    image_set = ImageSet(np.zeros((len(codes), 2, 2, 1), np.uint8), np.zeros(len(codes), np.int32))
    return EncodedImages(image_set, np.arange(len(codes)), codes, codes, np.zeros_like(codes))


def _first_column(labels: Labels) -> dict[str, np.ndarray]:
    return {split: getattr(labels, split)[:, :1] for split in ("train", "validation", "test")}
