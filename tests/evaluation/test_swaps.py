"""Swaps of a model whose every image is known, judged by one who sees it."""

import dataclasses

import numpy as np
import pytest

from dfv.evaluation.encoded_images import encode
from dfv.evaluation.image_pairs import other_identity, same_identity
from dfv.evaluation.metrics.oracle_classifier import Judge, train_judge
from dfv.evaluation.metrics.swaps import judge_swaps, rates
from dfv.evaluation.scored_splits import factor_labels, identity_labels


class SeesIdentity(Judge):
    def __call__(self, images):
        return images[:, :, 2, 0].argmax(1)[:, None]


class SeesFactor(Judge):
    def __call__(self, images):
        return np.repeat(images[:, :, 9, 0].argmax(1)[:, None], 2, axis=1)


def oracle(kind, labels):
    return kind(labels, None, {"test": dict.fromkeys(labels.names, 0.0)})


def test_identity_follows_s_and_the_factor_follows_z(codec, make_splits):
    splits, model = make_splits(), codec()
    test = encode(model, splits.test, 100)
    judged = judge_swaps(model, test, oracle(SeesIdentity, identity_labels(splits)), 80)
    assert (judged.swap_mean["identity"].s_donor, judged.swap_mean["identity"].z_donor) == (1.0, 0.0)
    assert judged.prior_sample["identity"] == 1.0
    judged = judge_swaps(model, test, oracle(SeesFactor, factor_labels(splits)), 80)
    assert (judged.swap_mean["height"].s_donor, judged.swap_mean["height"].z_donor) == (0.0, 1.0)


def test_a_model_with_s_and_z_exchanged_shows_the_z_donor(codec, make_splits):
    splits, model = make_splits(), codec(exchanged=True)
    test = encode(model, splits.test, 100)
    judged = judge_swaps(model, test, oracle(SeesIdentity, identity_labels(splits)), 80)
    assert (judged.swap_mean["identity"].s_donor, judged.swap_mean["identity"].z_donor) == (0.0, 1.0)
    assert judged.prior_sample["identity"] < 0.5


def test_sampled_swaps_use_the_posteriors_width(codec, make_splits):
    splits = make_splits()
    narrow, wide = (
        judge_swaps(model, encode(model, splits.test, 100), oracle(SeesFactor, factor_labels(splits)), 80)
        for model in (codec(deviation=0.01), codec(deviation=3.0))
    )
    assert narrow.swap_sampled["height"].z_donor == 1.0
    assert wide.swap_sampled["height"].z_donor < 0.7 and wide.swap_mean["height"].z_donor == 1.0


def test_rates_against_a_count_by_hand():
    found = rates(np.array([0, 1, 2, 1]), s_donor=np.array([0, 0, 0, 1]), z_donor=np.array([1, 1, 1, 1]))
    assert found.s_donor == pytest.approx(1 / 3) and found.z_donor == pytest.approx(1 / 3)
    assert found.s_donor_all == 0.5 and found.z_donor_all == 0.5


def test_pairs_differ_in_identity_or_share_it():
    identity = np.array([0, 0, 0, 0, 0, 0, 0, 1, 2, 2])
    first, second = other_identity(identity, 500)
    assert np.all(identity[first] != identity[second]) and {*identity[first]} == {*identity[second]} == {0, 1, 2}
    first, second = same_identity(identity, 100)
    assert np.all(identity[first] == identity[second]) and np.all(first != second)
    assert sorted(second) == [0, 1, 2, 3, 4, 5, 6, 8, 9]


def test_a_judge_learns_from_training_images_alone(make_splits, tiny):
    splits = make_splits()
    judge = train_judge(splits, identity_labels(splits), tiny)
    assert judge.errors["train"]["identity"] < 0.05 and judge.errors["test"]["identity"] < 0.05
    np.testing.assert_array_equal(judge(splits.validation.images)[:, 0], splits.validation.identity)
    renamed = dataclasses.replace(splits.test, identity=(splits.test.identity + 1) % 6)
    other = dataclasses.replace(splits, test=renamed)
    assert train_judge(other, identity_labels(other), tiny).errors["test"]["identity"] > 0.95
