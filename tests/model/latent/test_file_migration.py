"""Files of the first version, whose stages were parts of encoder and decoder, load as the models they were."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from dfv.model.latent.fit import fit_latent

CHAINS = {
    "pca": {"pca_dim": 3},
    "flow": {"flow_layers": 2, "flow_units": 8, "flow_steps": 20},
    "codebook": {"codebook_size": 12},
    "pca, codebook": {"pca_dim": 3, "codebook_size": 12},
    "pca, flow, codebook": {"pca_dim": 3, "flow_layers": 2, "flow_units": 8, "flow_steps": 20, "codebook_size": 12},
}
Z_DIM = 6


def padded(values, axis):
    """As wide as z, what is beyond the kept components not 0."""
    widths = [(0, Z_DIM - size if number == axis else 0) for number, size in enumerate(values.shape)]
    return np.pad(values, widths, constant_values=7.0)


def as_the_first_version_wrote_it(path):
    """Rewrites a model's file."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    del config["config"]["pca_is_folded"]
    parts["config.json"] = json.dumps(config).encode()
    buffer = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(buffer, "a") as weights:
        fitted_at = weights["latent/vars/0"][()]
        for now, earlier, axes in (
            ("pca", "decoder/axes", {1: 1, 2: 0}),
            ("flow", "decoder/flow", {2: 0}),
            ("codebook", "encoder/codebook", {0: 1, 1: 1}),
        ):
            if f"latent/{now}" in weights:
                weights.move(f"latent/{now}", earlier)
                own = weights[f"{earlier}/vars"]
                for number, axis in axes.items():
                    values = padded(own[str(number)][()], axis)
                    del own[str(number)]
                    own[str(number)] = values
                own[str(len(own))] = fitted_at
        del weights["latent"]
    parts["model.weights.h5"] = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "chain",
    ["pca, flow, codebook", *(pytest.param(c, marks=pytest.mark.slow) for c in CHAINS if c != "pca, flow, codebook")],
)
def test_a_file_of_the_first_version_gives_the_same_bits(chain, tiny_model, trained_on, triplet_batch, tmp_path):
    model, images = tiny_model(shared_variance=True, **CHAINS[chain]), trained_on.images[:5]
    model.train_step(triplet_batch())
    fit_latent(model, trained_on, 4)
    path = tmp_path / "model.keras"
    model.save(path)
    as_the_first_version_wrote_it(path)
    loaded = keras.models.load_model(path)
    assert loaded.latent.is_fitted(4)
    for variable, saved in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(variable, saved, err_msg=saved.path)
    for one, other in zip(loaded.encode(images).z, model.encode(images).z, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(loaded.swap(images, images[::-1]), model.swap(images, images[::-1]))
    optimizers = loaded.generator_optimizer.variables, model.generator_optimizer.variables
    for variable, saved in zip(*optimizers, strict=True):
        np.testing.assert_array_equal(variable, saved)
