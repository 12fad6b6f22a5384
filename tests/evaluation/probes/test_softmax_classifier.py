"""The network and the linear probe against scikit-learn's, and training from inputs that are loaded in parts."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes import softmax_classifier
from dfv.evaluation.probes.probe_data import ProbeData
from dfv.evaluation.probes.softmax_classifier import HIDDEN_UNITS, SoftmaxClassifier, network_predictions
from tests.evaluation.probes.synthetic_codes import CLASSES, DIM, data_of, in_scale, perfect


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_networks_error_is_that_of_scikit_learns():
    data = data_of(in_scale)
    predicted = network_predictions(data, (256,), seed=0, max_epochs=30).test
    second = make_pipeline(StandardScaler(), MLPClassifier((256,), max_iter=60, random_state=0))
    expected = second.fit(data.codes.train, data.labels.train[:, 0]).predict(data.codes.test)[:, None]
    assert np.mean(predicted != data.labels.test) == pytest.approx(np.mean(expected != data.labels.test), abs=0.06)


def test_the_linear_probes_error_is_that_of_logistic_regression():
    def overlapping(labels, rng):
        return np.eye(DIM)[labels] * 2 + rng.standard_normal((len(labels), DIM))

    data = data_of(overlapping)
    predicted = network_predictions(data, (), seed=0, max_epochs=15).test
    second = LogisticRegression().fit(data.codes.train, data.labels.train[:, 0]).predict(data.codes.test)[:, None]
    assert np.mean(predicted == data.labels.test) == pytest.approx(np.mean(second == data.labels.test), abs=0.03)


def test_a_probe_is_a_function_of_its_seed():
    data = data_of(in_scale)
    first, again, other = (network_predictions(data, (256,), seed=seed, max_epochs=5).test for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_each_column_of_the_labels_is_predicted():
    data = data_of(perfect)
    labels = BySplit(*(np.concatenate([part, 1 - part % 2], axis=1) for part in data.labels))
    data = ProbeData(data.codes, labels, (CLASSES, 2), data.groups)
    predicted = network_predictions(data, (256,), seed=0, max_epochs=20)
    np.testing.assert_array_equal(predicted.test, labels.test)


def test_inputs_are_loaded_in_parts_with_the_same_result(monkeypatch):
    data, loaded = data_of(in_scale), []

    class Watched(np.ndarray):
        def __getitem__(self, rows):
            loaded.append(len(rows))
            return np.asarray(self)[rows]

    def weights():
        classifier = SoftmaxClassifier([], (DIM,), (CLASSES,))
        inputs = data.codes.train.view(Watched), data.labels.train
        classifier.fit_best_epoch(
            inputs, (data.codes.validation, data.labels.validation), seed=0, max_epochs=2, patience=2
        )
        return classifier.get_weights()

    whole = weights()
    monkeypatch.setattr("dfv.evaluation.probes.softmax_classifier.MAX_LOADED_NUMBERS", 128 * DIM)
    in_parts = weights()
    assert loaded == [512, 512] + 8 * [128]
    assert all(np.array_equal(a, b) for a, b in zip(whole, in_parts, strict=True))


def test_probes_are_float32_under_any_global_dtype_policy():
    def predicted():
        softmax_classifier._classifier.cache_clear()
        return network_predictions(data_of(in_scale), (16,), seed=0, max_epochs=1).test

    before, expected = keras.config.dtype_policy(), predicted()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        np.testing.assert_array_equal(predicted(), expected)
    finally:
        keras.config.set_dtype_policy(before)


def test_the_deep_probe_has_six_layers_and_starts_from_new_weights_each_time():
    """Moving averages of batch normalization are a part of what is reinitialized."""
    deep, data = HIDDEN_UNITS["deep"], data_of(in_scale)
    classifier = softmax_classifier._classifier(deep, DIM, (CLASSES,))
    names = [type(layer).__name__ for layer in classifier.layers]
    assert names == [*["Dense", "BatchNormalization", "LeakyReLU"] * 5, "Dense"]
    first, other, again = (network_predictions(data, deep, seed=seed, max_epochs=4) for seed in (0, 1, 0))
    np.testing.assert_array_equal(first.test, again.test)
    assert np.any(first.test != other.test) and np.mean(first.test != data.labels.test) < 0.4
