"""Standardized codes, and probe data of encoded images."""

import dataclasses

import numpy as np
from sklearn.preprocessing import StandardScaler

from dfv.data.dataset import ImageSet
from dfv.evaluation.encoded_images import EncodedImages, EncodedSplits
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.labels import Labels
from dfv.evaluation.probes.probe_data import ProbeData, probe_data, varying_z_dims
from tests.evaluation.probes.synthetic_codes import CLASSES

RNG = np.random.default_rng(0)


def test_many_equal_numbers_standardize_to_zero():
    """Summed in float32 they have another mean than their value, and a deviation that makes each of them 1 or -1."""
    rng = np.random.default_rng(0)
    codes = BySplit(*(np.full((size, 40), rng.uniform(-9, 9, 40), np.float32) for size in (20_000, 10, 10)))
    labels = BySplit(*(np.zeros((len(part), 1), np.int32) for part in codes))
    constant = ProbeData(codes, labels, (CLASSES,), BySplit(*(np.arange(len(part)) for part in codes)))
    assert not constant.standardized_codes.train.any()
    varied = BySplit(*(rng.normal(50, 3, part.shape).astype("f4") for part in codes))
    varied = dataclasses.replace(constant, codes=varied)
    second = StandardScaler().fit_transform(np.float64(varied.codes.train))
    np.testing.assert_allclose(varied.standardized_codes.train, second, atol=1e-4)


def _images(log_var: np.ndarray, mean: np.ndarray, identity: np.ndarray, **factors: np.ndarray) -> EncodedImages:
    image_set = ImageSet(np.zeros((len(identity), 2, 2, 1), np.uint8), identity, factors=factors)
    s = np.zeros((len(identity), 1), np.float32)
    return EncodedImages(image_set, np.arange(len(identity)), s, np.float32(mean), np.float32(log_var))


def _splits(log_var: np.ndarray, mean: np.ndarray, identity: np.ndarray, **factors: np.ndarray) -> EncodedSplits:
    """Every third image in a split."""
    whole = _images(log_var, mean, identity, **factors)
    return EncodedSplits(*(whole.select(np.arange(first, len(identity), 3)) for first in range(3)))


def test_dimensions_vary_in_their_mean_or_in_their_variance_and_all_are_kept_if_none_varies():
    identity = RNG.integers(0, 4, 900)
    mean, log_var = np.zeros((900, 300)), np.full((900, 300), -2.0)
    mean[:, [7, 70]], log_var[:, 9] = 2 * np.stack([identity % 2, identity // 2], axis=1), RNG.standard_normal(900)
    assert varying_z_dims(_images(np.full((900, 300), -2.0), mean, identity)).tolist() == [7, 70]
    assert varying_z_dims(_images(log_var, mean, identity)).tolist() == [7, 9, 70]
    assert varying_z_dims(_images(np.full((5, 4), -9.0), np.zeros((5, 4)), identity[:5])).tolist() == [0, 1, 2, 3]


def test_probes_are_given_the_dimensions_of_z_that_vary():
    """Hundreds of dimensions of the prior's noise alone would hide the information of two others."""
    identity = RNG.integers(0, 4, 900)
    mean, log_var = np.zeros((900, 300)), np.full((900, 300), -2.0)
    mean[:, [7, 70]], log_var[:, 9] = 2 * np.stack([identity % 2, identity // 2], axis=1), RNG.standard_normal(900)
    encoded = _splits(log_var, mean, identity)
    labels = Labels(("identity",), (4,), *[identity[:, None]] * 3)
    for name in ("z_mean", "z_sampled", "z_mean_and_log_var"):
        (data,) = probe_data(encoded, labels, name, num_seeds=1, unseen_identities=False)
        whole = encoded.train.z_sampled(0) if name == "z_sampled" else encoded.train.z_mean
        np.testing.assert_array_equal(data.codes.train[:, :3], whole[:, [7, 9, 70]])
        assert data.codes.test.shape == (300, 6 if name == "z_mean_and_log_var" else 3)


def test_seeds_and_splits_have_noise_of_their_own_and_other_codes_are_shared():
    identity = RNG.integers(0, 4, 90)
    encoded = _splits(np.zeros((90, 2)), np.zeros((90, 2)), identity)
    labels = Labels(("identity",), (4,), *[identity[:, None]] * 3)
    first, second = probe_data(encoded, labels, "z_sampled", num_seeds=2, unseen_identities=False)
    noise = [part.tobytes() for data in (first, second) for part in data.codes]
    assert len(set(noise)) == 6
    first, second = probe_data(encoded, labels, "z_mean", num_seeds=2, unseen_identities=False)
    assert first.codes is second.codes


def test_groups_and_matched_factors():
    """Images of unseen identities are dependent; those of known ones are not, and have matched factors."""
    identity, pose = np.arange(90) % 5, np.arange(90) // 30
    encoded = _splits(np.zeros((90, 2)), np.zeros((90, 2)), identity, pose=pose)
    labels = Labels(("identity",), (5,), *[identity[:, None]] * 3)
    (known,) = probe_data(encoded, labels, "s", num_seeds=1, unseen_identities=False)
    assert len(np.unique(np.concatenate(list(known.groups)))) == 90
    np.testing.assert_array_equal(known.matched.test, pose[2::3])
    np.testing.assert_array_equal(known.labels.validation[:, 0], identity[encoded.validation.rows])
    (unseen,) = probe_data(encoded, labels, "s", num_seeds=1, unseen_identities=True)
    np.testing.assert_array_equal(unseen.groups.train, identity[::3])
    assert unseen.matched is None
