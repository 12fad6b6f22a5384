"""A tiny model with pictures of strong contrast, and its export, made once."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import export.versions
from dfv.config.schema import Config
from dfv.model.codec import Codec
from export import verification as checking
from export.versions import export_model

IMAGE_SHAPE = (13, 10, 1)


def make_model(image_shape: tuple[int, int, int] = IMAGE_SHAPE, **flags: object) -> Codec:
    """An untrained model whose images would show a difference in any of its inputs."""
    config = Config.of(s_dim=5, z_dim=4, widths=(6, 6, 6), adversary_widths=(4, 4, 4), seed=1, **flags)
    model = Codec(config, image_shape, (7,))
    random = np.random.default_rng(0)
    for variable in [*model.encoder.variables, *model.decoder.variables, *model.latent.variables]:
        if not any(name in variable.path for name in ("moving", "gamma", "fitted_at")):
            variable.assign(variable + random.normal(0, 0.2, variable.shape))
    images = random.integers(0, 256, (2, 8, *image_shape), np.uint8)
    assert model.swap(*images).astype(float).std(0).mean() > 10
    return model


@pytest.fixture(scope="session")
def model() -> Codec:
    model = make_model(shared_variance=True, pca_dim=3, flow_layers=2, flow_units=6, codebook_size=20)
    model.latent.fitted_at.assign(0)  # to the noise of `make_model`
    images = np.random.default_rng(1).integers(0, 256, (40, *IMAGE_SHAPE), np.uint8)
    assert len(np.unique(model.encode(images).z.mean)) > 8
    return model


@pytest.fixture(scope="session")
def colour_model() -> Codec:
    return make_model((8, 9, 3), shared_variance=True, rounding_step=1.0)


@pytest.fixture(scope="session")
def exported(model: Codec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first version of `tiny`; its parent has the server's files.

    `test_readers.py` compares it with the Python model in a new process, as the export would here.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export.versions, "check", lambda *_: None)
        return export_model(model, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def saved(exported, monkeypatch) -> None:
    """Copies a SavedModel instead of writing one."""
    content = shutil.ignore_patterns("assets.extra", "model_card.md")
    monkeypatch.setattr(
        export.versions, "save", lambda _, folder, __: shutil.copytree(exported, folder, ignore=content)
    )


@pytest.fixture
def unverified(saved, monkeypatch) -> None:
    """Also leaves out the comparison with the Python model, which other tests cover."""
    monkeypatch.setattr(export.versions, "check", lambda *_: None)


@pytest.fixture(scope="session")
def cases(model: Codec) -> tuple[checking.Arrays, checking.Arrays]:
    """Inputs of every signature and what the Python model makes of them, by SIGNATURE/NAME."""
    return checking.cases(model, float_images=False)


@pytest.fixture(scope="session")
def loaded(exported: Path) -> dict[str, tf.types.experimental.ConcreteFunction]:
    """The signatures, loaded in this process."""
    return _keep(tf.saved_model.load(str(exported)))


def _keep(loaded: tf.Module) -> dict[str, tf.types.experimental.ConcreteFunction]:
    KEPT.append(loaded)  # signatures do not keep their variables alive
    return dict(loaded.signatures)


KEPT: list[tf.Module] = []
