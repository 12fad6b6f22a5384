"""Retrieval, dependence, diversity and factors on codes of which it is known what they tell."""

import dataclasses

import numpy as np
import pytest

from dfv.data.dataset import ImageSet
from dfv.evaluation.encoded_images import CODES, EncodedImages, EncodedSplits, encode, encode_splits
from dfv.evaluation.evaluation_splits import has_unseen_identities
from dfv.evaluation.labels import Labels, factor_labels, identity_labels
from dfv.evaluation.metrics.dependence import hsic_test
from dfv.evaluation.metrics.diversity import measure_diversity
from dfv.evaluation.metrics.factors import measure_factors
from dfv.evaluation.metrics.leakage import among_test_images, measure_leakage, tasks_of
from dfv.evaluation.metrics.retrieval import measure_retrieval, nearest
from dfv.evaluation.probes.selection import leak, rightness
from dfv.evaluation.sample_sizes import SampleSizes
from dfv.evaluation.sampling import sample_groups

RNG = np.random.default_rng(0)


def coded(s: np.ndarray, mean: np.ndarray, identity: np.ndarray, log_var: float = -9.0) -> EncodedImages:
    part = ImageSet(np.zeros((len(s), 2, 2, 1), np.uint8), identity)
    return EncodedImages(
        part, np.arange(len(s)), np.float32(s), np.float32(mean), np.full(mean.shape, log_var, np.float32)
    )


def test_retrieval_against_a_loop():
    identity = RNG.integers(0, 4, 60)
    s, z = RNG.standard_normal((60, 3)) + identity[:, None], RNG.standard_normal((60, 5))
    found = measure_retrieval(coded(s, z, identity), SampleSizes(retrieval_queries=60))
    for name, codes in (("s", np.float32(s)), ("z_mean", np.float32(z))):
        distance = np.linalg.norm(codes[:, None] - codes, axis=-1) + np.diag(np.full(60, np.inf))
        order = np.argsort(distance, axis=1)
        for k in (1, 5, 10):
            expected = np.mean([np.mean(identity[order[i, :k]] == identity[i]) for i in range(60)])
            assert getattr(found, f"{name}_precision")[k] == pytest.approx(expected)
    assert found.random_precision == pytest.approx(np.mean([(np.sum(identity == i) - 1) / 59 for i in identity]))
    assert found.s_precision[1] > found.z_mean_precision[1]


def test_a_query_is_not_its_own_neighbour_even_among_equal_codes():
    assert not np.any(nearest(np.zeros((20, 2)), np.arange(20), 5) == np.arange(20)[:, None])


def test_hsic_against_its_definition():
    codes, identity = RNG.standard_normal((30, 3)).astype(np.float32), RNG.integers(0, 3, 30)
    z = (codes - codes.mean(0)) / codes.std(0)
    squared = ((z[:, None] - z) ** 2).sum(-1)
    k = np.exp(-squared / np.median(squared[np.triu_indices(30, 1)]))
    same, h = (identity[:, None] == identity).astype(float), np.eye(30) - 1 / 30
    expected = np.trace(k @ h @ same @ h) / np.sqrt(np.trace(k @ h @ k @ h) * np.trace(same @ h @ same @ h))
    assert hsic_test(codes, identity, 20).hsic == pytest.approx(expected, rel=1e-4)


def test_dependence_is_found_and_independence_is_not():
    identity = np.repeat(np.arange(5), 30)
    free = RNG.standard_normal((150, 4)).astype(np.float32)
    assert hsic_test(free, identity, 100).p_value > 0.05
    told = hsic_test(free * (1 + identity[:, None]), identity, 100)
    assert told.p_value < 0.02 and told.hsic > 2 * told.permutation_mean
    assert hsic_test(np.ones((150, 4), np.float32), identity, 10).p_value == 1.0


def test_dependence_is_found_though_each_identity_shows_each_pose_once():
    """Images of one identity are then less alike in z than any two: permuting all of them would hide the leak."""
    identity, pose = (each.ravel() for each in np.meshgrid(np.arange(12), np.arange(15)))
    clean = 3 * RNG.standard_normal((15, 4))[pose] + 0.3 * RNG.standard_normal((len(pose), 4))
    leaking = clean + 0.3 * RNG.standard_normal((12, 4))[identity]
    assert hsic_test(leaking, identity, 100).p_value > 0.9
    assert hsic_test(leaking, identity, 100, alike=pose).p_value < 0.02
    assert hsic_test(clean, identity, 100, alike=pose).p_value > 0.05


def test_equal_codes_are_found_wherever_they_stand():
    found = nearest(np.arange(4000)[:, None] % 200, np.arange(200), 10)
    assert np.all(found % 200 == np.arange(200)[:, None]) and 1800 < found.mean() < 2200


def test_groups_are_taken_whole_and_large_ones_in_equal_shares():
    groups = np.repeat(np.arange(10), 7)
    rows = sample_groups(groups, 28)
    assert sorted(np.bincount(groups[rows], minlength=10)) == [0] * 6 + [7] * 4 and (np.diff(rows) > 0).all()
    assert len(set(sample_groups(np.zeros(50, int), 20)) & set(range(20))) < 20
    rows = sample_groups(np.arange(3000) % 2, 600)
    assert np.bincount(rows % 2).tolist() == [300, 300] and len(set(rows)) == 600


def test_diversity_is_zero_if_z_is_ignored(codec, make_splits):
    model = codec()
    test = encode(model, make_splits().test, 100)
    assert measure_diversity(model, test).ratio > 1
    model.decode = lambda s, z: codec().decode(s, np.zeros_like(z))
    assert measure_diversity(model, test).prior_samples == pytest.approx(0)


def test_real_diversity_is_the_mean_over_pairs(codec, make_splits):
    test = encode(codec(), make_splits().test, 1000)
    expected = []
    for name in range(6):
        images = test.image_set.images[np.flatnonzero(test.identity == name)] / 255
        pairs = [((a - b) ** 2).mean() for i, a in enumerate(images) for b in images[:i]]
        expected.append(np.mean(pairs))
    assert measure_diversity(codec(), test, images=25).real_images == pytest.approx(np.mean(expected))


def test_sampled_codes_have_the_posteriors_moments():
    drawn = coded(np.zeros((4000, 1)), np.full((4000, 2), 3.0), np.zeros(4000, int), np.log(0.25)).z_sampled(0)
    assert drawn.mean() == pytest.approx(3.0, abs=0.05) and drawn.std() == pytest.approx(0.5, abs=0.02)


def test_of_z_probes_are_given_what_differs_from_image_to_image():
    """Hundreds of dimensions of the prior's noise alone would hide what two others tell."""
    identity = RNG.integers(0, 4, 900)
    mean, log_var = np.zeros((900, 300)), np.full((900, 300), -2.0)
    mean[:, [7, 70]], log_var[:, 9] = 2 * np.stack([identity % 2, identity // 2], axis=1), RNG.standard_normal(900)
    codes = coded(np.zeros((900, 1)), mean, identity)
    assert codes.varying_z_dims().tolist() == [7, 70]
    codes = dataclasses.replace(codes, z_log_var=np.float32(log_var))
    assert codes.varying_z_dims().tolist() == [7, 9, 70]
    split = EncodedSplits(*(codes.select(np.arange(first, 900, 3)) for first in range(3)))
    labels = Labels(("identity",), (4,), *[identity[:, None]] * 3)
    for name in ("z_mean", "z_sampled", "z_mean_and_log_var"):
        (task,) = tasks_of(split, labels, name, seeds=1, unseen=False)
        whole = split.train.z_sampled(0) if name == "z_sampled" else split.train.z_mean
        np.testing.assert_array_equal(task.codes.train[:, :3], whole[:, [7, 9, 70]])
        assert task.codes.test.shape == (300, 6 if name == "z_mean_and_log_var" else 3)
    assert len(coded(np.zeros((5, 1)), np.zeros((5, 4)), identity[:5]).varying_z_dims()) == 4


@pytest.mark.parametrize("exchanged", [False, True])
def test_table1_tells_s_from_z(codec, make_splits, tiny, exchanged):
    splits = make_splits()
    codes = encode_splits(codec(exchanged), splits, tiny)
    found = measure_leakage(codes, identity_labels(splits), tiny, num_seeds=1, unseen_identities=False, subsets={})
    tells, tells_not = ("z_mean", "s") if exchanged else ("s", "z_mean")
    assert getattr(found, tells).strongest.test_error == 0
    hidden = getattr(found, tells_not).strongest
    assert hidden.test_error > 0.6 and hidden.leakage.mean < 0.2


def test_unseen_identities_stand_or_fall_together_and_s_is_to_be_read_well(codec, make_splits, tiny, monkeypatch):
    splits, asked = make_splits(unseen=True), []
    monkeypatch.setattr(
        "dfv.evaluation.metrics.leakage.read", lambda *given, merit, names: asked.append((*given, merit))
    )
    codes = encode_splits(codec(), splits, tiny)
    mask = splits.test.identity > 20
    measure_leakage(codes, identity_labels(splits), tiny, num_seeds=1, unseen_identities=True, subsets={"some": mask})
    for tasks, _, clusters, parts, _ in asked:
        for known in (clusters, tasks[0].groups.test):
            np.testing.assert_array_equal(known, codes.test.identity)
        np.testing.assert_array_equal(parts["some"], codes.test.identity > 20)
    assert [merit for *_, merit in asked] == [rightness if name == "s" else leak for name in CODES]


def test_factors_are_read_from_z_and_a_constant_z_fails(codec, make_splits, tiny):
    splits = make_splits()
    codes = encode_splits(codec(), splits, tiny)
    found = measure_factors(
        codes, factor_labels(splits), tiny, num_seeds=1, unseen_identities=has_unseen_identities(splits)
    )
    assert found["height"].z_mean.error < 0.05 and found["height"].s.error > 0.5
    for part in (codes.train, codes.validation, codes.test):
        part.z_mean[:] = 0.5
    found = measure_factors(codes, factor_labels(splits), tiny, num_seeds=1, unseen_identities=False)
    assert found["height"].z_mean.error > 0.5
    assert not found["height"].z_mean.below_baseline.is_significant()


def test_test_images_are_dealt_out_within_identities(codec, make_splits):
    test = encode(codec(), make_splits(unseen=True).test, 1000)
    dealt, labels = among_test_images(test)
    parts = (dealt.train, dealt.validation, dealt.test)
    assert [len(part) for part in parts] == [144, 48, 48] and labels.num_classes == (12,)
    assert sorted(np.concatenate([part.rows for part in parts])) == list(range(240))
    for part in parts:
        assert len(np.unique(part.identity)) == 12
        np.testing.assert_array_equal(labels.test[part.rows, 0], part.identity - 18)


@pytest.mark.parametrize("images", [2, 3])
def test_test_identities_of_few_images_are_dealt_out_too(codec, make_splits, images):
    test = encode(codec(), make_splits(unseen=True).test, 1000)
    rows = np.concatenate([np.flatnonzero(test.identity == name)[:images] for name in range(18, 30)])
    dealt, _ = among_test_images(test.select(rows))
    assert len(np.unique(dealt.train.identity)) == 12
    assert len(dealt.validation) >= 4 and len(dealt.test) >= 4
