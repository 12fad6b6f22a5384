"""Swaps of a model whose every image is known, ."""

import dataclasses

import numpy as np
import pytest

from dfv.evaluation.encoded_images import encode
from dfv.evaluation.labels import factor_labels, identity_labels
from dfv.evaluation.metrics.oracle_classifier import OracleClassifier, OracleErrors, train_oracle
from dfv.evaluation.metrics.swaps import measure_swaps, swap_rates
from dfv.evaluation.sampling import SampleSizes, pairs_of_other_identity, pairs_of_same_identity

SIZES = SampleSizes(swaps=80)


class SeesIdentity(OracleClassifier):
    def predict(self, images):
        return images[:, :, 2, 0].argmax(1)[:, None]


class SeesFactor(OracleClassifier):
    def predict(self, images):
        return np.repeat(images[:, :, 9, 0].argmax(1)[:, None], 2, axis=1)


def reading(kind, labels):
    return kind(labels, None, OracleErrors({}, dict.fromkeys(labels.names, 0.0)))


def test_identity_follows_s_and_the_factor_follows_z(codec, make_splits):
    splits, model = make_splits(), codec()
    test = encode(model, splits.test, 100)
    predictions = measure_swaps(model, test, reading(SeesIdentity, identity_labels(splits)), SIZES)
    assert (predictions.swap_mean["identity"].s_source, predictions.swap_mean["identity"].z_source) == (1.0, 0.0)
    assert predictions.prior_sample["identity"] == 1.0
    predictions = measure_swaps(model, test, reading(SeesFactor, factor_labels(splits)), SIZES)
    assert (predictions.swap_mean["height"].s_source, predictions.swap_mean["height"].z_source) == (0.0, 1.0)


def test_a_model_with_s_and_z_exchanged_shows_the_z_source(codec, make_splits):
    splits, model = make_splits(), codec(exchanged=True)
    test = encode(model, splits.test, 100)
    predictions = measure_swaps(model, test, reading(SeesIdentity, identity_labels(splits)), SIZES)
    assert (predictions.swap_mean["identity"].s_source, predictions.swap_mean["identity"].z_source) == (0.0, 1.0)
    assert predictions.prior_sample["identity"] < 0.5


def test_sampled_swaps_use_the_posteriors_width(codec, make_splits):
    splits = make_splits()
    narrow, wide = (
        measure_swaps(model, encode(model, splits.test, 100), reading(SeesFactor, factor_labels(splits)), SIZES)
        for model in (codec(deviation=0.01), codec(deviation=3.0))
    )
    assert narrow.swap_sampled["height"].z_source == 1.0
    assert wide.swap_sampled["height"].z_source < 0.7 and wide.swap_mean["height"].z_source == 1.0


def test_rates_against_a_count_by_hand():
    found = swap_rates(np.array([0, 1, 2, 1]), s_source=np.array([0, 0, 0, 1]), z_source=np.array([1, 1, 1, 1]))
    assert found.s_source == pytest.approx(1 / 3) and found.z_source == pytest.approx(1 / 3)
    assert found.s_source_all == 0.5 and found.z_source_all == 0.5


def test_pairs_differ_in_identity_or_share_it():
    identity = np.array([0, 0, 0, 0, 0, 0, 0, 1, 2, 2])
    first, second = pairs_of_other_identity(identity, 500)
    assert np.all(identity[first] != identity[second]) and {*identity[first]} == {*identity[second]} == {0, 1, 2}
    first, second = pairs_of_same_identity(identity, 100)
    assert np.all(identity[first] == identity[second]) and np.all(first != second)
    assert sorted(second) == [0, 1, 2, 3, 4, 5, 6, 8, 9]


def test_an_oracle_classifier_learns_from_training_images_alone(make_splits, tiny):
    splits = make_splits()
    oracle = train_oracle(splits, identity_labels(splits), tiny)
    assert oracle.errors.train["identity"] < 0.05 and oracle.errors.test["identity"] < 0.05
    np.testing.assert_array_equal(oracle.predict(splits.validation.images)[:, 0], splits.validation.identity)
    renamed = dataclasses.replace(splits.test, identity=(splits.test.identity + 1) % 6)
    other = dataclasses.replace(splits, test=renamed)
    assert train_oracle(other, identity_labels(other), tiny).errors.test["identity"] > 0.95
