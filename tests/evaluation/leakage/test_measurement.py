"""The leakage test against formulas, against the evaluation of the same codes, and its records."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.studies.leakage_codes import CLASSES, KNOWN, error_of_directions, error_of_scale, known_codes
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.evaluation.encoded_images import EncodedImages, EncodedSplits
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.labels import Labels, factor_labels
from dfv.evaluation.leakage import LabelledCodes, LeakageResults, measure
from dfv.evaluation.metrics.dependence import measure_dependence
from dfv.evaluation.metrics.factors import measure_factors
from dfv.evaluation.metrics.leakage import measure_code_leakage
from dfv.evaluation.sampling import SampleSizes

SIZES = SampleSizes(probe_epochs=15, dependence_images=200, permutations=50)


def known(code: str) -> BySplit[LabelledCodes]:
    arrays = known_codes(code, seed=0)
    splits = ("train", "validation", "test")
    return BySplit(*(LabelledCodes(arrays[f"{split}_codes"], arrays[f"{split}_labels"]) for split in splits))


def test_the_lowest_errors_are_those_of_the_classifier_that_knows_the_densities():
    rng, size = np.random.default_rng(1), 200_000
    labels = rng.integers(CLASSES, size=size)
    from_directions = 2 * np.eye(8)[labels] + rng.standard_normal((size, 8))
    assert error_of_directions() == pytest.approx(np.mean(from_directions[:, :4].argmax(1) != labels), abs=0.003)
    scales = np.where(rng.random(size) < 0.5, 1.0, 1.5)
    codes = scales[:, None] * rng.standard_normal((size, 8))
    log_odds = -0.5 * (codes**2).sum(1) * (1 / 1.5**2 - 1) - 8 * np.log(1.5)
    assert error_of_scale() == pytest.approx(np.mean((log_odds > 0) != (scales > 1)), abs=0.003)


@pytest.mark.parametrize("code", ["directions", "scale"])
def test_the_strongest_probe_reaches_the_lowest_error_and_none_is_below_it(code):
    splits, (num_classes, lowest) = known(code), KNOWN[code]
    found = measure(*splits, seeds=1, stronger_probes=False, limits=SIZES)
    error = np.sqrt(lowest() * (1 - lowest()) / len(splits.test))
    for probe in (found.leakage.network, found.leakage.linear, found.leakage.neighbours):
        assert probe.test_error > lowest() - 3 * error
    assert found.leakage.strongest.test_error == pytest.approx(lowest(), abs=0.02)
    if code == "scale":
        assert found.leakage.linear.test_error > 0.45 and found.leakage.strongest.family != "linear"
    assert found.leakage.strongest.leakage.is_significant() and found.dependence.p_value < 0.05
    assert found.num_classes == (num_classes,) and found.code_dim == 8 and found.probe_seeds == 1
    assert found.num_codes == BySplit(4000, 1000, 4000) and found.num_groups is None and found.factors == {}


def test_a_code_that_hides_the_label_on_training_images_alone_leaks_on_fresh_ones():
    splits = known("removed_in_training")
    trained_on_old = measure(*splits, seeds=1, stronger_probes=False, limits=SIZES).leakage.strongest
    fresh = [splits.test.select(np.arange(4000) % 5 == part) for part in range(3)]
    trained_on_fresh = measure(*fresh, seeds=1, stronger_probes=False, limits=SIZES).leakage.strongest
    assert trained_on_old.test_error > 0.6
    assert trained_on_fresh.test_error == pytest.approx(error_of_directions(), abs=0.06)


TINY = SampleSizes(probe_epochs=3, min_validation_images=0, min_validation_identities=0, permutations=20)


@pytest.mark.parametrize("unseen", [False, True])
def test_results_are_those_of_the_evaluation_of_the_same_codes(unseen):
    """Attributes of unseen identities with groups, or identities with matched factors; both with two seeds."""
    rng = np.random.default_rng(2)
    identity = np.arange(360) // (12 if unseen else 1) % (30 if unseen else 6)
    pose, angle = rng.integers(0, 4, 360), np.float32(rng.choice([10.0, 20.0], 360))
    split = identity % 3 if unseen else np.arange(360) // 6 % 3
    codes = np.float32(rng.standard_normal((360, 4)) + 0.5 * (identity % 3)[:, None])
    labels = np.stack([identity % 2, identity // 3 % 3], axis=1) if unseen else identity[:, None]
    parts, whole = [], []
    for number in range(3):
        rows = np.flatnonzero(split == number)
        factors = {"pose": pose[rows], "angle": angle[rows]}
        names = np.array([f"name {i}" for i in labels.ravel()]).reshape(labels.shape)[rows]
        parts.append(LabelledCodes(codes[rows], names, identity[rows] if unseen else None, factors))
        image_set = ImageSet(np.zeros((len(rows), 2, 2, 1), np.uint8), identity[rows], factors=factors)
        whole.append(EncodedImages(image_set, np.arange(len(rows)), codes[rows], codes[rows], 0 * codes[rows]))
    found = measure(*parts, seeds=2, stronger_probes=False, limits=TINY)

    encoded = EncodedSplits(*whole)
    columns = [labels[split == number].astype(np.int32) for number in range(3)]
    of_labels = Labels(("0", "1") if unseen else ("identity",), (2, 3) if unseen else (6,), *columns)
    how = {"num_seeds": 2, "unseen_identities": unseen}
    assert found.leakage == measure_code_leakage(encoded, of_labels, "z_mean", TINY, subsets={}, **how)
    assert (found.leakage.strongest.matched_leakage is None) == unseen
    dependence = dataclasses.astuple(measure_dependence(encoded.test, TINY).z_mean)
    assert dataclasses.astuple(found.dependence) == pytest.approx(dependence, rel=1e-5)  # float32
    expected = measure_factors(encoded, factor_labels(Splits(*(part.image_set for part in whole))), TINY, **how)
    assert found.factors == {name: errors.z_mean for name, errors in expected.items()}
    assert found.num_groups == (10 if unseen else None)
    assert LeakageResults.from_json(found.to_json()).to_json() == found.to_json()


def test_cross_validation_keeps_groups_together(monkeypatch):
    given = []
    monkeypatch.setattr(
        "dfv.evaluation.leakage.probing.code_leakage", lambda *arguments: given.extend(arguments) or 1 / 0
    )
    groups = (["a", "a", "b", "b"], ["c"] * 4, ["d", "d", "e", "d"])
    with pytest.raises(ZeroDivisionError):
        measure(*(LabelledCodes(np.eye(4), [0, 1, 0, 1], names) for names in groups))
    (data, *_), families = given[0], given[-1]
    assert [part.tolist() for part in data.groups] == [[0, 0, 1, 1], [2] * 4, [3, 3, 4, 3]] and data.matched is None
    assert families == ("network", "linear", "neighbours", "deep", "trees")


def test_large_splits_are_sampled():
    splits = BySplit(*(part.select(np.arange(300)) for part in known("directions")))
    sizes = dataclasses.replace(TINY, train_images=200, validation_images=100, test_images=50)
    assert measure(*splits, seeds=1, limits=sizes).num_codes == BySplit(200, 100, 50)


def test_wrong_codes_are_refused_before_probes_are_trained():
    train, validation, test = known("scale")
    with pytest.raises(DataError, match="test codes: expected"):
        measure(train, validation, dataclasses.replace(test, codes=test.codes[0]))


def test_other_records_are_refused():
    with pytest.raises(ValueError, match="schema version 1; got None"):
        LeakageResults.from_json("[]")
    with pytest.raises(ValueError, match="schema version 1; got 2"):
        LeakageResults.from_json('{"schema_version": 2}')
    with pytest.raises(ValueError, match="required field missing"):
        LeakageResults.from_json('{"schema_version": 1}')


def test_tensorflow_is_not_imported_to_read_and_check_a_file(tmp_path):
    path = tmp_path / "codes.npz"
    np.savez(path, codes=np.random.default_rng(0).standard_normal((20, 2)), labels=np.arange(20) % 2)
    script = (
        "import sys; from pathlib import Path; from dfv.evaluation.leakage import measure, read;"
        " import dfv.evaluation.leakage.__main__; read(Path(sys.argv[1]));"
        " print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
