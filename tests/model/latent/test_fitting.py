"""What holds for axes, flow and codebook alike."""

import pytest

from dfv.config.schema import Config, ConfigError
from dfv.model.latent import fitting as z_fitting


@pytest.mark.parametrize("flags", [{"pca_dim": 2}, {"codebook_size": 4}], ids=lambda flags: next(iter(flags)))
def test_training_goes_around_what_is_fitted(flags, tiny_model, triplet_batch, trained_on):
    shared = {"shared_variance": True, "seed": 3}
    without, with_it = tiny_model(**shared), tiny_model(**shared, **flags)
    z_fitting.fit_z(with_it, trained_on, 0)
    terms = [model.train_step(triplet_batch()) for model in (without, with_it)]
    for name, value in terms[0].items():
        assert float(terms[1][name]) == pytest.approx(float(value), abs=1e-6), name
    assert len(with_it.generator_variables) == len(without.generator_variables)


@pytest.mark.parametrize("name", ["flow_layers", "pca_dim", "codebook_size"])
def test_a_pretrained_s_is_refused(name):
    with pytest.raises(
        ConfigError, match="--flow_layers, --pca_dim and --codebook_size need an s trained with the rest"
    ):
        Config.of(**{name: 3}, shared_variance=True, pretrain_s_steps=10)
