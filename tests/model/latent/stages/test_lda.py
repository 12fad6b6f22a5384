"""Linear discriminant analysis of s: fitted in closed form, a projection that keeps what identities differ in."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from dfv.config.schema import Config
from dfv.model.codec import Codec
from dfv.model.latent.fit import fit_latent
from dfv.model.latent.stages.lda import LinearDiscriminants
from dfv.model.latent.training_codes import TrainingCodes

IDENTITIES, DIMS = 30, 6


@pytest.fixture(scope="module")
def codes():
    """Identities differ in two oblique directions, images of one identity in all of them."""
    random = np.random.default_rng(0)
    identity = np.repeat(np.arange(IDENTITIES), 200)
    means = random.normal(size=(IDENTITIES, 2)) @ random.normal(size=(2, DIMS)) * 3
    s = means[identity] + random.normal(size=(len(identity), DIMS)) @ random.normal(size=(DIMS, DIMS)) + 1.5
    shuffled = random.permutation(len(identity))
    return TrainingCodes(s[shuffled].astype(np.float32), s[:, :1], s[:, :1], identity[shuffled])


def fitted(codes, num_discriminants):
    lda = LinearDiscriminants(DIMS, num_discriminants)
    lda.fit(codes)
    return lda


@pytest.mark.parametrize("kept", [1, 2, 4])
def test_it_keeps_the_discriminants_of_scikit_learn_and_nothing_else(codes, kept):
    projected = fitted(codes, kept)(codes.s).numpy()
    reference = LinearDiscriminantAnalysis(solver="eigen").fit(codes.s, codes.identity)
    before, after = (reference.transform(s) for s in (codes.s, projected))
    np.testing.assert_allclose(after[:, :kept], before[:, :kept], atol=2e-3)
    beyond = after[:, kept:] - after[:, kept:].mean(0)
    np.testing.assert_allclose(beyond, 0, atol=2e-3)
    assert np.abs(before[:, kept:] - before[:, kept:].mean(0)).max() > 1


def test_projecting_twice_is_projecting_once(codes):
    lda = fitted(codes, 2)
    once = lda(codes.s)
    np.testing.assert_allclose(lda(once), once, atol=1e-4)


def test_what_is_kept_tells_identities_apart_and_what_is_dropped_does_not(codes):
    kept = fitted(codes, 2)(codes.s).numpy()

    def between_to_within(s):
        means = np.stack([s[codes.identity == identity].mean(0) for identity in range(IDENTITIES)])
        return means.var(0).sum() / (s - means[codes.identity]).var(0).sum()

    assert between_to_within(kept) > 2 * between_to_within(codes.s)
    assert between_to_within(codes.s - kept) < 0.02


def test_all_dimensions_are_the_identity_map(codes):
    np.testing.assert_allclose(fitted(codes, 9)(codes.s), codes.s, atol=1e-4)


def test_of_few_identities_there_is_one_discriminant_less(codes):
    three = codes.select(np.flatnonzero(codes.identity < 3))
    projected = fitted(three, 5)(three.s).numpy()
    assert np.linalg.matrix_rank(projected - projected.mean(0), tol=1e-2) == 2


@pytest.mark.parametrize("constant", [slice(0, 2), slice(0, DIMS)], ids=["some", "all"])
def test_constant_dimensions_and_single_images_give_numbers(codes, constant):
    s = codes.s[:IDENTITIES].copy()
    s[:, constant] = 0.5
    one_image_each = dataclasses.replace(codes.select(slice(0, IDENTITIES)), s=s, identity=np.arange(IDENTITIES))
    projected = fitted(one_image_each, 3)(s).numpy()
    assert np.isfinite(projected).all()
    np.testing.assert_allclose(projected[:, constant], 0.5, atol=1e-5)


FLOW = {"flow_layers": 2, "flow_units": 16, "flow_steps": 20}


@pytest.mark.parametrize("flags", [{}, {"pca_dim": 3, **FLOW}], ids=["alone", "with PCA and flow"])
def test_a_model_gives_and_decodes_the_projected_s(tiny_model, trained_on, tmp_path, flags):
    plain, model = (tiny_model(shared_variance=True, lda_dim=lda_dim, **flags) for lda_dim in (0, 2))
    images = trained_on.images[np.arange(20)]
    raw = plain.encode(images).s
    np.testing.assert_array_equal(model.encode(images).s, raw)
    fit_latent(model, trained_on)
    s = model.encode(images).s
    np.testing.assert_allclose(s, model.latent.lda(raw), atol=1e-5)
    assert np.linalg.matrix_rank(s - s.mean(0), tol=1e-4) == 2
    z = model.encode(images[::-1]).z.mean
    np.testing.assert_array_equal(model.swap(images, images[::-1]), model.decode(s, z))
    np.testing.assert_allclose(model.folded().encode(images).s, s, atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras", custom_objects={"Codec": Codec})
    np.testing.assert_array_equal(loaded.encode(images).s, s)


def test_the_flow_is_fitted_to_the_projected_s(tiny_model, trained_on, monkeypatch):
    model, seen = tiny_model(shared_variance=True, lda_dim=2, **FLOW), []
    monkeypatch.setattr(model.latent.flow, "fit", lambda codes, *_: seen.append(codes.s))
    fit_latent(model, trained_on)
    assert np.linalg.matrix_rank(seen[0] - seen[0].mean(0), tol=1e-3) == 2


def test_it_is_off_by_default():
    assert Config().latent.lda_dim == 0
