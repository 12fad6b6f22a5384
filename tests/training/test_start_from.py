"""A run that starts from the model of another: what carries over, what does not, and what is refused."""

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import dfv
from dfv.automatic_options import automatic_config
from dfv.config.schema import Config
from dfv.data.dataset import ImageSet
from dfv.data.sources.image_folder.survey import Survey
from dfv.main import main
from dfv.model.disentangler import Disentangler
from dfv.model.latent.fit import fit_latent
from dfv.training.callbacks.checkpointing import Checkpointing
from dfv.training.checkpoints import last_step
from dfv.training.errors import RunError
from dfv.training.run_flags import read_flags, write_flags
from dfv.training.start_from import carry_over, find_start, inherited_options
from dfv.training.trainer import train
from tests.training import test_trainer
from tests.training.runs import as_arguments

# Layers behind the label maps, whose shapes do not depend on labels.
LEVELS = {"widths": (4, 6, 8), "adversary_widths": (4, 6, 8)}
SMALLEST, TINY = test_trainer.SMALLEST | LEVELS, test_trainer.TINY | LEVELS
FOLDED = SMALLEST | {"shared_variance": True, "pca_dim": 2}


def finished(run_dir: Path, **flags) -> Path:
    """The folder of a finished run of 12 characters, whose weights are not trained but random."""
    config, random = Config.of(**flags), np.random.default_rng(0)
    model = Disentangler(config, (16, 16, 3), (12,))
    model.compile()
    for weight in [*model.encoder.weights, *model.decoder.weights]:
        weight.assign(random.uniform(0.1, 0.3, weight.shape))
    model.generator_optimizer.iterations.assign(config.training.num_steps)
    if model.latent.needs_fit:
        images = random.integers(0, 256, (40, 16, 16, 3), np.uint8)
        fit_latent(model, ImageSet(images, np.arange(40) % 12), config.training.num_steps)
    saving = Checkpointing(run_dir, every_steps=1)
    saving.set_model(model)
    saving.restore()
    saving.save()
    write_flags(run_dir, config)
    return run_dir


@pytest.fixture(scope="module")
def earlier(tmp_path_factory) -> Path:
    return finished(tmp_path_factory.mktemp("runs") / "earlier", **TINY)


@pytest.fixture(scope="module")
def folded(tmp_path_factory) -> Path:
    """A finished run as it is shipped: without checkpoints, and with its PCA folded into the networks."""
    run_dir = finished(tmp_path_factory.mktemp("runs") / "folded", **FOLDED)
    shutil.rmtree(run_dir / "checkpoints")
    return run_dir


def content(run_dir: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in sorted(run_dir.rglob("*")) if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def values(weights) -> list[np.ndarray]:
    return [np.array(weight) for weight in weights]


class Begins(keras.callbacks.Callback):
    """Keeps the weights of all players before the first step, and ends the process there."""

    def on_train_batch_begin(self, batch, logs=None):
        self.weights = {part: values(getattr(self.model, part).weights) for part in ("encoder", "decoder")}
        raise KeyboardInterrupt


def of_start(earlier, **flags) -> Config:
    return Config.of(**TINY | {"start_from": str(earlier), "toy_characters": 8, "seed": 1} | flags)


def test_a_run_begins_with_the_earlier_weights_and_resumes_without_the_earlier_run(earlier, tmp_path, monkeypatch):
    before, old = content(earlier), shutil.copytree(earlier, tmp_path / "old")
    config = of_start(old)
    start = find_start(config, tmp_path / "new")
    seen = [Begins(), Begins()]
    for callback in seen:
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path / "new", [callback])
        for part, weights in callback.weights.items():
            for found, expected in zip(weights, values(getattr(start, part).weights), strict=True):
                np.testing.assert_array_equal(found, expected)
        shutil.rmtree(old, ignore_errors=True)
    assert last_step(tmp_path / "new") == 0
    resumed = []
    monkeypatch.setattr("dfv.main.train_run", lambda run_dir, config: resumed.append(config))
    flags = {"toy_characters": 8, "seed": 1, "start_from": old}
    assert main(as_arguments(flags, tmp_path / "new")) == 0
    assert resumed[0].network == config.network and resumed[0].data == config.data
    assert content(earlier) == before


@pytest.mark.parametrize("labels", ["identity", "pair"])
def test_what_belongs_to_labels_and_optimizers_starts_from_new_values(labels):
    config = of_start("earlier", latent_adversary_labels=labels, pca_dim=2)
    start, model, fresh = (Disentangler(config, (16, 16, 3), (size,)) for size in (12, 12, 12))
    random = np.random.default_rng(0)
    for weight in [*start.encoder.weights, *start.adversary.weights, *start.latent_adversary.weights]:
        weight.assign(random.integers(0, 9, weight.shape))
    start.latent.fitted_at.assign(6)
    carry_over(start, model)
    reinitialized = [weight for tables in model.adversary.tables for weight in tables]
    latent = model.latent_adversary
    reinitialized += [latent.kept_means, latent.kept_samples, latent.kept_labels]
    if labels == "identity":
        reinitialized += [*latent.on_mean.layers[-1].weights, *latent.on_sample.layers[-1].weights]
    kept = 0
    for part in ("encoder", "adversary", "latent_adversary"):
        for found, old, new in zip(*(getattr(m, part).weights for m in (model, start, fresh)), strict=True):
            is_new = any(found is weight for weight in reinitialized)
            np.testing.assert_array_equal(found.numpy(), (new if is_new else old).numpy())
            kept += not is_new
    assert kept > 30 and not model.latent.is_fitted()


def test_players_of_other_labels_carry_over_where_shapes_agree():
    start = Disentangler(of_start("earlier"), (16, 16, 3), (12,))
    model = Disentangler(of_start("earlier", adversary_labels="pair"), (16, 16, 3), (8,))
    carry_over(start, model)
    old, new = start.adversary.convolutions, model.adversary.convolutions
    assert old[0].kernel.shape != new[0].kernel.shape
    np.testing.assert_array_equal(old[1].kernel, new[1].kernel)


def test_a_folded_model_goes_on_with_its_components_as_the_first_dimensions_of_z(folded):
    codec = dfv.load(folded)
    model = Disentangler(Config.of(**FOLDED, start_from="folded", seed=3), codec.image_shape, (8,))
    assert codec.pca_is_folded
    # BatchNorm follows the constant that is lost.
    codec.decoder.from_z.bias.assign(0 * codec.decoder.from_z.bias)
    carry_over(codec, model)
    images = tf.constant(np.random.default_rng(0).uniform(-1, 1, (5, 16, 16, 3)), tf.float32)
    codes, expected = model.encoder(images), codec.encoder(images)
    np.testing.assert_array_equal(codes.s, expected.s)
    for found, wanted in zip(codes.z, expected.z, strict=True):
        np.testing.assert_allclose(found[:, :2], wanted, atol=1e-6)
    assert np.abs(codes.z.mean[:, 2:]).min() > 0
    wanted = codec.decoder(expected.z.mean, expected.s)
    np.testing.assert_allclose(model.decoder(codes.z.mean, codes.s), wanted, atol=1e-6)
    fresh = Disentangler(Config.of(**FOLDED, start_from="folded", seed=3), codec.image_shape, (8,))
    np.testing.assert_array_equal(model.encoder.log_var[2:], fresh.encoder.log_var[2:])


def test_a_run_may_start_from_a_model_without_checkpoints(folded, tmp_path):
    model = find_start(Config.of(**FOLDED, start_from=str(folded)), tmp_path / "new")
    assert model.pca_is_folded and not (folded / "checkpoints").exists()


def test_networks_size_and_colour_are_inherited_and_flags_replace_them(earlier, tmp_path, monkeypatch):
    configs = []
    monkeypatch.setattr("dfv.main.train_run", lambda run_dir, config: configs.append(config))
    assert main([f"--start_from={earlier}", f"--run_dir={tmp_path}", "--s_dim=5", "--batch_size=3"]) == 0
    before, now = read_flags(earlier), configs[0]
    assert now.network.widths == before.network.widths and now.network.z_dim == 4 and now.network.shared_variance
    assert (now.data.image_size, now.data.grayscale, now.network.s_dim) == (16, False, 5)
    assert (now.training.batch_size, now.training.start_from) == (3, str(earlier))


@pytest.mark.parametrize("num_images", [1_000, 10_000])
def test_choices_for_a_folder_leave_out_what_needs_shared_variance_if_the_model_has_none(tmp_path, num_images):
    run = finished(tmp_path / "run", **SMALLEST)
    given = inherited_options(str(run), tmp_path / "new") | {"image_dir": "images"}
    config = automatic_config(given, Survey(20, num_images, 50, 16))
    latent = config.latent
    assert not config.network.shared_variance and latent.pca_dim == latent.codebook_size == latent.rounding_step == 0


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "is neither a run folder nor a shipped model"),
        (lambda run: (run / "model.keras").unlink(), "has no model.keras yet"),
        (lambda run: cut(run / "model.keras"), "is not a model that this version can load"),
        (lambda run: cut(next(run.glob("checkpoints/ckpt-6.data*"))), "ckpt-6 is damaged"),
        (lambda run: [path.unlink() for path in run.glob("checkpoints/*")], "is not finished: it stopped at step 0"),
    ],
)
def test_a_run_that_cannot_be_used_is_refused_with_its_reason(damage, message, earlier, tmp_path, capsys):
    run = shutil.copytree(earlier, tmp_path / "run")
    damage(run)
    assert main([*as_arguments(TINY, tmp_path / "new"), f"--start_from={run}"]) == 2
    error = capsys.readouterr().err
    assert "dfv: --start_from: " in error and message in error.splitlines()[-1]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"z_dim": 5}, "--z_dim was 4, is 5. Omit these flags"),
        ({"image_size": 20}, "images of 16x16x3 .* have 20x20x3"),
        ({"grayscale": True}, "images of 16x16x3 .* have 16x16x1"),
    ],
)
def test_other_networks_or_images_of_another_shape_are_refused(flags, message, earlier, tmp_path):
    with pytest.raises(RunError, match=message):
        train(of_start(earlier, **flags), tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lock"]


def test_the_folder_of_the_earlier_run_is_not_written(earlier, capsys):
    before = content(earlier)
    assert main([*as_arguments(TINY, earlier), f"--start_from={earlier}"]) == 2
    assert "give another --run_dir" in capsys.readouterr().err and content(earlier) == before


def test_a_pretrained_s_neither_starts_nor_is_started(capsys, tmp_path):
    assert main(["--start_from=quickstart", "--pretrain_s_steps=2", f"--run_dir={tmp_path}/new"]) == 2
    assert "--start_from and --pretrain_s_steps exclude each other" in capsys.readouterr().err
    run = finished(tmp_path / "run", **SMALLEST, pretrain_s_steps=1)
    with pytest.raises(RunError, match="pre-trained s, which is frozen"):
        find_start(Config.of(**SMALLEST, start_from=str(run)), tmp_path / "new")
