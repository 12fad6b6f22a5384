"""PCA folded into the networks: the same outputs, in the kept components' width."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dfv.data.dataset import ImageSet
from dfv.model.codec import Codec
from dfv.model.codes import Posterior
from dfv.model.latent.fit import fit_latent
from dfv.model.latent.stages.pca import NoiseWhitenedPCA
from dfv.model.latent.training_codes import TrainingCodes

CHAINS = {
    "pca": {"pca_dim": 3},
    "pca of all": {"pca_dim": 9},
    "pca, flow, codebook": {
        "pca_dim": 3, "flow_layers": 1, "flow_units": 16, "flow_steps": 4, "codebook_size": 12,
    },
    "pca, flow, rounding": {"pca_dim": 3, "flow_layers": 1, "flow_units": 16, "flow_steps": 4, "rounding_step": 1.0},
    "pca, rounding for codebook": {"pca_dim": 3, "codebook_size": 2, "rounding_step": 1.0},
    "flow": {"flow_layers": 1, "flow_units": 16, "flow_steps": 4},
    "none": {},
}  # fmt: skip


@pytest.fixture
def pca():
    random = np.random.default_rng(0)
    mean = (random.normal(size=(500, 6)) @ random.normal(size=(6, 6)) + 2.0).astype(np.float32)
    pca = NoiseWhitenedPCA(6, 3)
    std = np.broadcast_to(np.linspace(0.2, 1.0, 6, dtype=np.float32), mean.shape)
    pca.fit(TrainingCodes(mean, mean, std, np.arange(500)), 0, random)
    return pca


def test_a_folded_z_head_gives_the_components_of_the_head(pca):
    random = np.random.default_rng(1)
    features, kernel, bias = random.normal(size=(5, 8)), random.normal(size=(8, 6)), random.normal(size=6)
    log_var = random.normal(size=6)
    mean = tf.constant(features @ kernel + bias, tf.float32)
    expected = pca.forward(Posterior(mean, tf.constant(np.tile(log_var, (5, 1)), tf.float32)), None)
    folded_kernel, folded_bias, folded_log_var = pca.folded_into_encoder(kernel, bias, log_var)
    assert folded_kernel.shape == (8, 3)
    np.testing.assert_allclose(features @ folded_kernel + folded_bias, expected.mean, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.tile(folded_log_var, (5, 1)), expected.log_var, rtol=1e-5)


def test_a_folded_first_layer_takes_the_components(pca):
    random = np.random.default_rng(1)
    z, kernel = random.normal(size=(5, 3)), random.normal(size=(6, 8))
    folded_kernel, folded_bias = pca.folded_into_decoder(kernel)
    expected = pca.inverse(tf.constant(z, tf.float32), None).numpy() @ kernel
    np.testing.assert_allclose(z @ folded_kernel + folded_bias, expected, rtol=1e-5, atol=1e-5)
    assert np.abs(folded_bias).max() > 1.0


QUICK = ("pca, flow, codebook", "pca, rounding for codebook", "none")
CASES = [pytest.param(chain, False, marks=[] if chain in QUICK else pytest.mark.slow) for chain in CHAINS]


@pytest.mark.parametrize(("chain", "mixed"), [*CASES, ("pca", True)])
def test_a_folded_codec_gives_the_same_codes_and_images(chain, mixed, tiny_model, trained_on, tmp_path, monkeypatch):
    monkeypatch.setattr("dfv.model.latent.stages.codebook.MAX_DISTANCE", 0.1)
    model = tiny_model(shared_variance=True, mixed_precision=mixed, **CHAINS[chain])
    model.encoder.z_head.kernel.assign(10.0 * model.encoder.z_head.kernel)
    model.decoder.from_z.kernel.assign(10.0 * model.decoder.from_z.kernel)
    fit_latent(model, trained_on, 7)
    model.folded().save(tmp_path / "folded.keras")
    folded = keras.models.load_model(tmp_path / "folded.keras")
    assert type(folded) is Codec and folded.pca_is_folded == ("pca" in chain) and folded.config == model.config
    assert folded.latent.state == model.latent.state == (True, "rounding" in chain)
    assert folded.latent.is_fitted(7) and folded.latent.pca is None and folded.z_dim == model.z_dim
    images = trained_on.images[:40]
    codes, expected = folded.encode(images), model.encode(images)
    assert codes.z.mean.shape == (40, model.z_dim) == expected.z.mean.shape
    np.testing.assert_allclose(codes.s, expected.s, atol=1e-6)
    np.testing.assert_allclose(codes.z.log_var, expected.z.log_var, atol=1e-4)
    # A code next to a boundary may be rounded to its other side.
    tolerance = 0.05 if mixed else 1e-4
    same = np.isclose(codes.z.mean, expected.z.mean, atol=tolerance).all(1)
    assert same.mean() >= (0.5 if mixed else 0.97)
    z = expected.z.mean
    for found, wanted in (
        (folded.decode(codes.s, z), model.decode(codes.s, z)),
        (folded.sample(images, 5), model.sample(images, 5)),
        (folded.swap(images, images)[same], model.reconstruct(images)[same]),
    ):
        assert np.abs(found.astype(int) - wanted).max() <= (16 if mixed else 1)
    if not mixed:
        assert np.abs(wanted.astype(int) - model.reconstruct(images[::-1])[same]).max() > 1


def test_the_folded_networks_are_as_narrow_as_the_components(tiny_model, trained_on):
    model = tiny_model(shared_variance=True, pca_dim=2)
    fit_latent(model, trained_on)
    folded = model.folded()
    assert folded.encoder.z_head.kernel.shape[1] == folded.decoder.from_z.kernel.shape[0] == 2
    assert [variable.name for variable in folded.latent.variables] == ["fitted_at"]
    again = folded.folded()
    images = trained_on.images[:3]
    np.testing.assert_array_equal(again.encode(images).z.mean, folded.encode(images).z.mean)


def test_a_model_that_is_not_fitted_is_not_folded(tiny_model):
    with pytest.raises(ValueError, match=r"not fitted; call dfv\.fit_latent"):
        tiny_model(shared_variance=True, pca_dim=2).folded()


def test_a_folded_model_is_not_fitted_again(tiny_model, trained_on):
    model = tiny_model(shared_variance=True, pca_dim=2)
    fit_latent(model, trained_on)
    with pytest.raises(ValueError, match="PCA was folded into its networks"):
        fit_latent(model.folded(), ImageSet(trained_on.images, trained_on.identity))
