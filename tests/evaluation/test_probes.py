"""Probes on codes of which it is known what they tell."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dfv.evaluation.probes.predictions import Neighbours, network_predictions
from dfv.evaluation.probes.probe_data import Parts, Task
from dfv.evaluation.probes.selection import read
from dfv.evaluation.probes.softmax_classifier import Classifier
from dfv.evaluation.sample_sizes import SampleSizes

LIMITS = SampleSizes(probe_epochs=12, validation_images=500)
CLASSES, DIM, SIZES = 4, 6, (600, 520, 500)


def task(make_codes, seed: int = 0, weights: tuple[float, ...] = (0.25,) * 4) -> Task:
    """A task whose codes make_codes(labels [N], rng) draws."""
    rng = np.random.default_rng(seed)
    labels = [rng.choice(CLASSES, size, p=weights) for size in SIZES]
    codes = Parts(*(make_codes(part, rng).astype(np.float32) for part in labels))
    columns = Parts(*(part[:, None].astype(np.int32) for part in labels))
    return Task(codes, columns, (CLASSES,), Parts(*(np.arange(size) for size in SIZES)))


def perfect(labels, rng):
    return np.eye(DIM)[labels] + 0.05 * rng.standard_normal((len(labels), DIM))


def constant(labels, rng):
    return np.full((len(labels), DIM), 3.7)


def random(labels, rng):
    return rng.standard_normal((len(labels), DIM))


def in_scale(labels, rng):
    return 2.0 ** (2 * labels[:, None]) * rng.standard_normal((len(labels), DIM))


def test_a_perfect_code_is_read_by_every_probe():
    reading = read([task(perfect)], LIMITS)
    assert all(probe.test_error == 0 for probe in (reading.network, reading.linear, reading.neighbours))
    assert reading.strongest.leakage.mean > 0.4


@pytest.mark.parametrize("code", [constant, random])
def test_a_code_without_identity_errs_as_chance_does(code):
    reading = read([task(code, seed) for seed in range(2)], LIMITS)
    for probe in (reading.network, reading.linear, reading.neighbours):
        assert probe.test_error == pytest.approx(0.75, abs=0.06)
        assert not probe.leakage.is_significant() and probe.matched_leakage is None


def test_identity_in_the_scale_is_found_though_no_linear_probe_can():
    reading = read([task(in_scale)], LIMITS)
    assert reading.linear.test_error > 0.55
    assert reading.strongest.test_error < 0.3 and reading.strongest.family != "linear"


def test_identity_in_the_variance_is_read_from_mean_and_log_variance_alone():
    def mean(labels, rng):
        return rng.standard_normal((len(labels), DIM))

    def both(labels, rng):
        return np.concatenate([mean(labels, rng), np.tile(-0.1 * labels[:, None], DIM)], axis=1)

    assert not read([task(mean)], LIMITS).strongest.leakage.is_significant()
    assert read([task(both)], LIMITS).strongest.test_error < 0.02


def test_many_equal_numbers_standardise_to_zero():
    """Summed in float32 they have another mean than their value, and a deviation that makes each of them 1 or -1."""
    rng = np.random.default_rng(0)
    codes = Parts(*(np.full((size, 40), rng.uniform(-9, 9, 40), np.float32) for size in (20_000, 10, 10)))
    labels = Parts(*(np.zeros((len(part), 1), np.int32) for part in codes))
    constant = Task(codes, labels, (CLASSES,), Parts(*(np.arange(len(part)) for part in codes)))
    assert not constant.standardised().codes.train.any()
    varied = dataclasses.replace(constant, codes=Parts(*(rng.normal(50, 3, part.shape).astype("f4") for part in codes)))
    second = StandardScaler().fit_transform(np.float64(varied.codes.train))
    np.testing.assert_allclose(varied.standardised().codes.train, second, atol=1e-4)


def test_chance_is_that_of_a_probe_and_not_one_minus_one_over_n():
    weights = (0.7, 0.1, 0.1, 0.1)
    reading = read([task(random, weights=weights)], LIMITS)
    assert reading.linear.permutation_baseline == pytest.approx(0.3, abs=0.06)


def test_test_labels_take_no_part_in_training():
    """A probe that saw the test images would read their labels, which have nothing to do with their codes."""
    honest = task(perfect)
    shuffled = np.random.default_rng(5).permutation(honest.labels.test)
    wrong = Task(honest.codes, honest.labels._replace(test=shuffled), honest.sizes, honest.groups)
    reading = read([wrong], LIMITS)
    assert reading.strongest.train_error == 0 and reading.strongest.test_error > 0.65


def test_nearest_neighbours_leave_the_training_code_itself_out():
    neighbours = Neighbours(task(random), num_train_queries=600)
    labels = task(random).labels.train
    own = neighbours.predictions(labels, (CLASSES,), ("raw", 1)).train
    assert np.mean(own != labels) > 0.65


@pytest.mark.parametrize("setting", [("raw", 1), ("standardised", 1), ("raw", 5), ("standardised", 50)])
def test_nearest_neighbours_agree_with_scikit_learn(setting):
    data, (scale, voters) = task(in_scale), setting
    predicted = Neighbours(data, 10).predictions(data.labels.train, data.sizes, setting).test[:, 0]
    scaler = StandardScaler(with_mean=scale == "standardised", with_std=scale == "standardised")
    second = make_pipeline(scaler, KNeighborsClassifier(voters)).fit(data.codes.train, data.labels.train[:, 0])
    votes = np.sort(second.predict_proba(data.codes.test), axis=1)
    clear = votes[:, -1] > votes[:, -2]
    assert clear.mean() > 0.7
    np.testing.assert_array_equal(predicted[clear], second.predict(data.codes.test)[clear])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_network_errs_as_that_of_scikit_learn_does():
    data = task(in_scale)
    predicted = network_predictions(data, (256,), seed=0, max_epochs=30).test
    second = make_pipeline(StandardScaler(), MLPClassifier((256,), max_iter=60, random_state=0))
    expected = second.fit(data.codes.train, data.labels.train[:, 0]).predict(data.codes.test)[:, None]
    assert np.mean(predicted != data.labels.test) == pytest.approx(np.mean(expected != data.labels.test), abs=0.06)


def test_a_classifier_reads_its_inputs_in_parts_and_learns_the_same(monkeypatch):
    data, read = task(in_scale), []

    class Watched(np.ndarray):
        def __getitem__(self, rows):
            read.append(len(rows))
            return np.asarray(self)[rows]

    def weights():
        classifier = Classifier([], (DIM,), (CLASSES,))
        inputs = data.codes.train.view(Watched), data.labels.train
        classifier.fit_until_best(
            inputs, (data.codes.validation, data.labels.validation), seed=0, max_epochs=2, patience=2
        )
        return classifier.get_weights()

    whole = weights()
    monkeypatch.setattr("dfv.evaluation.probes.softmax_classifier.NUMBERS_AT_ONCE", 128 * DIM)
    in_parts = weights()
    assert read == [512, 512] + 8 * [128]
    assert all(np.array_equal(a, b) for a, b in zip(whole, in_parts, strict=True))


def test_a_code_of_hundreds_of_images_is_read_as_a_table_reads_it():
    """Each of three codes is somewhat more often one label: seen in all of its images together, not in any fifty."""
    shares = np.array([[0.3, 0.2, 0.25, 0.25], [0.25, 0.3, 0.2, 0.25], [0.2, 0.25, 0.25, 0.3]])

    def task_of(size):
        rng = np.random.default_rng(size)
        codes = rng.integers(3, size=size)
        labels = (rng.random(size)[:, None] > shares[codes].cumsum(1)).sum(1)
        return np.eye(3, DIM, dtype=np.float32)[codes], labels[:, None].astype(np.int32)

    codes, labels = (Parts(*parts) for parts in zip(*map(task_of, (9000, 1000, 5000)), strict=True))
    data = Task(codes, labels, (CLASSES,), codes)
    neighbours = Neighbours(data, 9000)
    predicted = neighbours.predictions(labels.train, (CLASSES,), ("raw", 1))
    np.testing.assert_array_equal(predicted.test[:, 0], shares.argmax(1)[codes.test.argmax(1)])
    assert np.mean(predicted.train[:, 0] == shares.argmax(1)[codes.train.argmax(1)]) > 0.99


def test_a_training_code_that_others_have_too_does_not_vote_on_itself():
    codes = np.repeat(np.eye(2, DIM, dtype=np.float32), 2, axis=0)
    labels = np.array([[0], [1], [0], [1]], np.int32)
    data = Task(Parts(codes, codes, codes), Parts(labels, labels, labels), (2,), Parts(labels, labels, labels))
    predicted = Neighbours(data, 4).predictions(labels, (2,), ("raw", 1)).train
    np.testing.assert_array_equal(predicted, 1 - labels)


def test_the_linear_probe_errs_as_logistic_regression_does():
    def overlapping(labels, rng):
        return np.eye(DIM)[labels] * 2 + rng.standard_normal((len(labels), DIM))

    data = task(overlapping)
    predicted = network_predictions(data, (), seed=0, max_epochs=15).test
    second = LogisticRegression().fit(data.codes.train, data.labels.train[:, 0]).predict(data.codes.test)[:, None]
    assert np.mean(predicted == data.labels.test) == pytest.approx(np.mean(second == data.labels.test), abs=0.03)


def test_a_probe_is_a_function_of_its_seed():
    data = task(in_scale)
    first, again, other = (network_predictions(data, (256,), seed, 5).test for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_columns_of_labels_are_read_each_for_itself():
    data = task(perfect)
    labels = Parts(*(np.concatenate([part, 1 - part % 2], axis=1) for part in data.labels))
    predicted = network_predictions(Task(data.codes, labels, (CLASSES, 2), data.groups), (256,), 0, 20)
    np.testing.assert_array_equal(predicted.test, labels.test)


def test_each_label_is_told_by_itself():
    data = task(perfect)
    rng = np.random.default_rng(1)
    labels = Parts(*(np.concatenate([part, rng.permutation(part)], axis=1) for part in data.labels))
    reading = read([Task(data.codes, labels, (CLASSES, CLASSES), data.groups)], LIMITS, names=("told", "not"))
    told, hidden = (reading.labels[name] for name in ("told", "not"))
    assert told.leakage.mean > 0.5 and not hidden.leakage.is_significant()
    assert reading.strongest.test_error == pytest.approx((told.test_error + hidden.test_error) / 2)
    assert reading.strongest.leakage.mean == pytest.approx((told.leakage.mean + hidden.leakage.mean) / 2)


def test_few_validation_images_have_probes_chosen_by_folds():
    """Forty on which the linear probe happens to be right and no other one: by them alone it would be chosen."""
    data = task(in_scale)
    predicted = [
        network_predictions(data, (), 0, 4),
        network_predictions(data, (256,), 0, 4),
        Neighbours(data, 10).predictions(data.labels.train, data.sizes, ("raw", 1)),
    ]
    linear, *others = ((parts.validation == data.labels.validation)[:, 0] for parts in predicted)
    rows = np.argsort(np.sum(others, 0) - 3 * linear, kind="stable")[:40]
    few = Task(
        Parts(data.codes.train, data.codes.validation[rows], data.codes.test),
        Parts(data.labels.train, data.labels.validation[rows], data.labels.test),
        data.sizes,
        Parts(data.groups.train, data.groups.validation[rows] + 600, data.groups.test),
    )
    chosen = [
        read([few], dataclasses.replace(LIMITS, probe_epochs=4, min_validation_images=enough)).strongest.family
        for enough in (0, 500)
    ]
    assert chosen[0] == "linear" != chosen[1]


@pytest.mark.parametrize(("train", "validation"), [(54, 6), (50, 40)], ids=["folds have fewer", "folds have more"])
def test_a_fold_may_have_another_number_of_codes_than_neighbours_are_asked(train, validation):
    data = task(perfect)
    codes, labels = (
        Parts(part.train[:train], part.validation[:validation], part.test) for part in (data.codes, data.labels)
    )
    groups = Parts(np.arange(train), train + np.arange(validation), data.groups.test)
    few = Task(codes, labels, data.sizes, groups)
    assert read([few], dataclasses.replace(LIMITS, probe_epochs=2)).neighbours.test_error < 0.05


def test_folds_score_every_code_once_and_keep_groups_together():
    data = task(random)
    data = Task(data.codes, data.labels, data.sizes, Parts(*(ids % 37 for ids in data.groups)))
    folds = list(data.folds(5, seed=0))
    assert sum(len(fold.codes.test) for fold in folds) == SIZES[0] + SIZES[1]
    for fold in folds:
        train, stop, score = (set(part) for part in fold.groups)
        assert not (train & stop or train & score or stop & score)


def test_few_unseen_identities_are_few_whatever_their_images():
    data = task(random)
    assert not data.needs_folds(500, 30)
    few = dataclasses.replace(data, groups=Parts(*(ids % 5 for ids in data.groups)))
    assert few.needs_folds(500, 30) and not few.needs_folds(500, 5)


def test_of_two_groups_probes_are_chosen_on_the_second_alone():
    data = task(perfect)
    groups = Parts(np.zeros(SIZES[0], int), np.ones(SIZES[1], int), np.full(SIZES[2], 2))
    assert read([dataclasses.replace(data, groups=groups)], LIMITS).strongest.test_error < 0.05


def test_permuting_leaves_the_labels_that_score():
    data = task(random)
    permuted = data.permuted(0)
    np.testing.assert_array_equal(permuted.labels.test, data.labels.test)
    assert np.mean(permuted.labels.train != data.labels.train) > 0.6
    np.testing.assert_array_equal(np.bincount(permuted.labels.train[:, 0]), np.bincount(data.labels.train[:, 0]))
