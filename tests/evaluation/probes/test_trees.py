"""Probes by boosted trees: the best round, several labels, and labels with one value."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.probe_data import ProbeData
from dfv.evaluation.probes.trees import MAX_ROUNDS, tree_predictions
from tests.evaluation.probes.synthetic_codes import CLASSES, data_of, in_scale, random


def test_predictions_are_scikit_learns_after_the_round_that_is_best_on_validation():
    data = data_of(in_scale)
    predicted = tree_predictions(data, seed=0)
    error, errors = np.mean(predicted.validation != data.labels.validation), []
    for rounds in (1, 10, MAX_ROUNDS):
        trees = HistGradientBoostingClassifier(max_iter=rounds, early_stopping=False, random_state=0)
        with threadpool_limits(1):
            trees.fit(data.codes.train, data.labels.train[:, 0])
        errors.append(np.mean(trees.predict(data.codes.validation) != data.labels.validation[:, 0]))
    assert error <= min(errors) and errors[0] - error > 0.01
    assert np.mean(predicted.test != data.labels.test) < 0.4


def test_each_label_has_trees_of_its_own_and_one_value_is_predicted():
    data = data_of(in_scale)
    one, shuffled = np.full_like(data.labels.train, 2), np.random.default_rng(0).permutation(data.labels.train)
    columns = np.concatenate([shuffled, one, data.labels.train], axis=1)
    labels = BySplit(columns, *(np.repeat(part, 3, axis=1) for part in (data.labels.validation, data.labels.test)))
    predicted = tree_predictions(ProbeData(data.codes, labels, (CLASSES,) * 3, data.groups), seed=0)
    assert predicted.test.shape == (500, 3) and np.all(predicted.test[:, 1] == 2)
    np.testing.assert_array_equal(predicted.test[:, 2:], tree_predictions(data, seed=0).test)
    assert np.mean(predicted.test[:, 0] != data.labels.test[:, 0]) > 0.6


def test_a_label_that_is_not_in_train_is_never_predicted():
    data = data_of(random)
    labels = BySplit(np.maximum(data.labels.train, 1), data.labels.validation, data.labels.test)
    predicted = tree_predictions(ProbeData(data.codes, labels, data.num_classes, data.groups), seed=0)
    assert all(0 not in part for part in predicted)
