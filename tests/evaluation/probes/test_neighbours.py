"""Nearest neighbours against scikit-learn's, and votes of equal codes."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.neighbours import NeighbourProbes
from dfv.evaluation.probes.probe_data import ProbeData, ProbeSettings
from tests.evaluation.probes.synthetic_codes import CLASSES, DIM, data_of, in_scale, random

ONE_NEIGHBOUR = ProbeSettings("neighbours", 1, standardized=False)


def test_a_training_code_does_not_vote_for_itself():
    data = data_of(random)
    own = NeighbourProbes(data, 600).predictions(data.labels.train, (CLASSES,), ONE_NEIGHBOUR).train
    assert np.mean(own != data.labels.train) > 0.65


@pytest.mark.parametrize(("standardized", "number"), [(False, 1), (True, 1), (False, 5), (True, 50)])
def test_predictions_agree_with_scikit_learns(standardized, number):
    data = data_of(in_scale)
    probes = NeighbourProbes(data, 10)
    settings = ProbeSettings("neighbours", number, standardized)
    assert settings in probes.settings
    predicted = probes.predictions(data.labels.train, data.num_classes, settings).test[:, 0]
    scaler = StandardScaler(with_mean=standardized, with_std=standardized)
    second = make_pipeline(scaler, KNeighborsClassifier(number)).fit(data.codes.train, data.labels.train[:, 0])
    votes = np.sort(second.predict_proba(data.codes.test), axis=1)
    clear = votes[:, -1] > votes[:, -2]
    assert clear.mean() > 0.7
    np.testing.assert_array_equal(predicted[clear], second.predict(data.codes.test)[clear])


def test_equal_codes_of_hundreds_of_images_are_a_table_of_label_counts():
    """Each of three codes is somewhat more often one label: seen in all of its images together, not in any fifty."""
    shares = np.array([[0.3, 0.2, 0.25, 0.25], [0.25, 0.3, 0.2, 0.25], [0.2, 0.25, 0.25, 0.3]])

    def drawn(size):
        rng = np.random.default_rng(size)
        codes = rng.integers(3, size=size)
        labels = (rng.random(size)[:, None] > shares[codes].cumsum(1)).sum(1)
        return np.eye(3, DIM, dtype=np.float32)[codes], labels[:, None].astype(np.int32)

    codes, labels = (BySplit(*parts) for parts in zip(*map(drawn, (9000, 1000, 5000)), strict=True))
    probes = NeighbourProbes(ProbeData(codes, labels, (CLASSES,), codes), 9000)
    predicted = probes.predictions(labels.train, (CLASSES,), ONE_NEIGHBOUR)
    np.testing.assert_array_equal(predicted.test[:, 0], shares.argmax(1)[codes.test.argmax(1)])
    assert np.mean(predicted.train[:, 0] == shares.argmax(1)[codes.train.argmax(1)]) > 0.99


def test_a_training_code_that_others_have_too_does_not_vote_for_itself():
    codes = np.repeat(np.eye(2, DIM, dtype=np.float32), 2, axis=0)
    labels = np.array([[0], [1], [0], [1]], np.int32)
    data = ProbeData(
        BySplit(codes, codes, codes), BySplit(labels, labels, labels), (2,), BySplit(labels, labels, labels)
    )
    predicted = NeighbourProbes(data, 4).predictions(labels, (2,), ONE_NEIGHBOUR).train
    np.testing.assert_array_equal(predicted, 1 - labels)
