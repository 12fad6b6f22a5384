"""A version appears complete and verified, or not at all."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

import dfv
import export.versions
from dfv.config.schema import Config, ConfigError
from dfv.data import from_arrays
from dfv.evaluation import evaluate
from dfv.model.codec import Codec
from export import ExportError, signature_runner
from export import model_card as card
from export.serving import config_files
from export.versions import export_model


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_model_whose_latent_transform_is_not_fitted_is_refused_until_it_is(unverified, tmp_path):
    config = Config.of(s_dim=5, z_dim=4, widths=(6, 6, 6), shared_variance=True, pca_dim=3, num_steps=10)
    model, images = Codec(config, (13, 10, 1), (7,)), np.random.default_rng(0).integers(0, 256, (70, 13, 10, 1), "u1")
    with pytest.raises(ExportError, match=r"is not fitted; call dfv\.fit_latent"):
        export_model(model, tmp_path / "tiny")
    splits = from_arrays(images, np.arange(70) % 7)
    with pytest.raises(ConfigError, match=r"is not fitted; call dfv\.fit_latent"):
        evaluate(model, splits, Config.of(dataset="arrays"), tmp_path / "results")
    assert not list(tmp_path.iterdir())
    dfv.fit_latent(model, splits.train)
    assert export_model(model, tmp_path / "tiny").exists() and model.latent.is_fitted(10)


def test_versions_count_up_and_none_is_written_over(unverified, model, exported, tmp_path):
    place = tmp_path / "tiny"
    shutil.copytree(exported.parent, place)
    (place / "notes").mkdir()
    assert export_model(model, place) == place / "2"
    assert export_model(model, place, version=7) == place / "7"
    assert export_model(model, place) == place / "8"
    before = everything(place)
    with pytest.raises(ExportError, match="7 exists, and versions are not overwritten"):
        export_model(model, place, version=7)
    assert everything(place) == before and [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.fixture
def other_weights(model):
    """Those of the model, for a while, are not the exported ones."""
    weights = model.get_weights()
    model.decoder.from_s.kernel.assign(model.decoder.from_s.kernel * 1.05)
    yield
    model.set_weights(weights)


@pytest.fixture
def replayed_here(monkeypatch):
    """Signatures are run by the same script in this process: the start of another one takes most of the time."""

    def replay(saved_model, inputs, scratch):
        np.savez(scratch / "in.npz", **inputs)
        signature_runner.main(str(saved_model), str(scratch / "in.npz"), str(scratch / "out.npz"))
        return dict(np.load(scratch / "out.npz"))

    monkeypatch.setattr("export.verification.replay", replay)


def test_a_process_that_fails_means_no_export(saved, model, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ExportError, match=r"nothing was exported: .* run in a new process \(no message\)"):
        export_model(model, tmp_path / "tiny")
    assert not list(tmp_path.iterdir())


def test_a_difference_means_no_export(saved, replayed_here, model, other_weights, tmp_path):
    with pytest.raises(ExportError, match=r"nothing was exported: .*image.* differs from the Python model by"):
        export_model(model, tmp_path / "tiny")
    assert everything(tmp_path) == []


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_export_leaves_nothing(unverified, model, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(card, "of", fail)
    with pytest.raises((ExportError, KeyboardInterrupt)) as caught:
        export_model(model, tmp_path / "models" / "tiny")
    assert everything(tmp_path) == ["models"]
    assert isinstance(caught.value, KeyboardInterrupt) or "No space left" in str(caught.value)


def test_a_disk_that_fills_up_beside_the_version_leaves_nothing_of_it(
    unverified, model, exported, tmp_path, monkeypatch
):
    place = tmp_path / "tiny"
    export_model(model, place)
    before = everything(tmp_path), (place / "models.config").read_text()

    def full(path, content):
        raise OSError("No space left on device")

    monkeypatch.setattr(config_files, "write_whole", full)
    with pytest.raises(ExportError, match="nothing was exported: No space left"):
        export_model(model, place)
    assert before == (everything(tmp_path), (place / "models.config").read_text())


def test_two_exports_at_once_do_not_mix(unverified, model, exported, tmp_path, monkeypatch):
    place = tmp_path / "tiny"

    def meanwhile(*_):
        shutil.copytree(exported, place / "1")
        return ""

    monkeypatch.setattr(card, "of", meanwhile)
    with pytest.raises(ExportError, match="could not be published .*run the export again"):
        export_model(model, place)
    assert (place / "1" / "model_card.md").read_text() and [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.parametrize("name", ["a b", "a:b", "7", "ü"])
def test_a_name_that_no_server_takes_is_refused(model, tmp_path, name):
    with pytest.raises(ExportError, match="--export_dir="):
        export_model(model, tmp_path / name)
    assert everything(tmp_path) == []


def test_a_home_that_is_not_known_is_refused(model):
    with pytest.raises(ConfigError, match="--export_dir=~nosuchuser/tiny: expected a home"):
        export_model(model, "~nosuchuser/tiny")


@pytest.mark.parametrize("version", [0, -1, 2**63, "2", 1.5])
def test_what_is_no_version_is_refused(model, tmp_path, version):
    with pytest.raises(ExportError, match="version: expected an integer from 1"):
        export_model(model, tmp_path / "mine", version=version)


@pytest.mark.parametrize("name", ["tiny", "tiny/model", "tiny/folder/model"])
def test_a_file_in_the_place_of_a_folder_is_named(model, tmp_path, name):
    (tmp_path / "tiny").write_text("")
    with pytest.raises(ExportError, match=f"--export_dir=.*{name}: {tmp_path}/tiny is a file, expected a folder"):
        export_model(model, tmp_path / name)


def test_a_circle_of_links_and_a_name_that_is_too_long_are_named(model, tmp_path):
    (tmp_path / "circle").symlink_to("circle")
    for name, reason in (("circle/tiny", "[Ll]oop|symbolic links"), (f"{'a' * 300}/tiny", "File name too long")):
        with pytest.raises(ExportError, match=f"--export_dir=.* cannot be used .*({reason})"):
            export_model(model, tmp_path / name)


def test_a_folder_without_the_right_to_write_is_named(model, tmp_path, monkeypatch):
    def refuse(*_, **options):
        raise PermissionError(13, "Permission denied", str(options["dir"]))

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(ExportError, match=f"{tmp_path} cannot be written .{tmp_path}: Permission denied"):
        export_model(model, tmp_path / "tiny")


def test_a_disk_that_fills_up_while_tensorflow_writes_is_named(model, tmp_path, monkeypatch):
    def full(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "variables/x; No space left on device")

    monkeypatch.setattr(export.versions, "save", full)
    with pytest.raises(ExportError, match="nothing was exported: variables/x; No space left on device"):
        export_model(model, tmp_path / "tiny")
    assert everything(tmp_path) == []


def test_others_may_read_it(exported):
    assert exported.stat().st_mode & 0o055 == exported.parent.stat().st_mode & 0o055


def test_float_images(replayed_here, colour_model, tmp_path):
    version = export_model(colour_model, tmp_path / "colour", float_images=True)
    signatures = tf.saved_model.load(str(version)).signatures
    shown = signatures["swap"].structured_outputs["image"]
    assert shown.dtype == tf.float32 and shown.shape[1:] == (8, 9, 3)
    for value in (-0.1, 1.5, float("nan")):
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected pixels from 0 to 1"):
            signatures["encode"](image=tf.fill((1, 8, 9, 3), value))
    assert "float32: 0 to 1" in (version / "model_card.md").read_text()
