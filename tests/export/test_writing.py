"""Versions that appear whole, checked, or not at all; and what lies beside them."""

import re
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format

import dfv
import export.writing
from dfv.config.schema import Config, ConfigError
from dfv.data import from_arrays
from dfv.evaluation import evaluate
from dfv.model.codec import Codec
from dfv.model.latent.fitting import is_fitted
from export import ExportError
from export import model_card as card
from export.serving import files as serving_files
from export.writing import export_model


@pytest.fixture
def saved(exported, monkeypatch):
    """Copies a SavedModel instead of writing one."""
    content = shutil.ignore_patterns("assets.extra", "model_card.md")
    monkeypatch.setattr(export.writing, "save", lambda _, folder, __: shutil.copytree(exported, folder, ignore=content))


@pytest.fixture
def bare(saved, monkeypatch):
    """Leaves out the comparison too, which other tests cover."""
    monkeypatch.setattr(export.writing, "check", lambda *_: None)


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_model_whose_z_is_not_fitted_is_refused_until_it_is(bare, tmp_path):
    config = Config.of(s_dim=5, z_dim=4, widths=(6, 6, 6), shared_variance=True, pca_dim=3, num_steps=10)
    model, images = Codec(config, (13, 10, 1), (7,)), np.random.default_rng(0).integers(0, 256, (70, 13, 10, 1), "u1")
    with pytest.raises(ExportError, match=r"are not fitted: dfv\.fit_z does"):
        export_model(model, tmp_path / "tiny")
    splits = from_arrays(images, np.arange(70) % 7)
    with pytest.raises(ConfigError, match=r"are not fitted: dfv\.fit_z does"):
        evaluate(model, splits, Config.of(dataset="arrays"), tmp_path / "results")
    assert not list(tmp_path.iterdir())
    dfv.fit_z(model, splits.train)
    assert export_model(model, tmp_path / "tiny").exists() and is_fitted(model, 10)


def test_versions_count_up_and_none_is_written_over(bare, model, exported, tmp_path):
    place = tmp_path / "tiny"
    shutil.copytree(exported.parent, place)
    (place / "notes").mkdir()
    assert export_model(model, place) == place / "2"
    assert export_model(model, place, version=7) == place / "7"
    assert export_model(model, place) == place / "8"
    before = everything(place)
    with pytest.raises(ExportError, match="7 exists, and no version is written over"):
        export_model(model, place, version=7)
    assert everything(place) == before and [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.fixture
def other_weights(model):
    """Those of the model, for a while, are not the exported ones."""
    weights = model.get_weights()
    model.decoder.from_s.kernel.assign(model.decoder.from_s.kernel * 1.05)
    yield
    model.set_weights(weights)


def test_a_difference_means_no_export(saved, model, other_weights, tmp_path):
    with pytest.raises(ExportError, match=r"nothing was exported: .*image.* differs from the Python model by"):
        export_model(model, tmp_path / "tiny")
    assert everything(tmp_path) == []


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_export_leaves_nothing(bare, model, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(card, "of", fail)
    with pytest.raises((ExportError, KeyboardInterrupt)) as caught:
        export_model(model, tmp_path / "models" / "tiny")
    assert everything(tmp_path) == ["models"]
    assert isinstance(caught.value, KeyboardInterrupt) or "No space left" in str(caught.value)


def test_a_disk_that_fills_up_beside_the_version_leaves_nothing_of_it(bare, model, exported, tmp_path, monkeypatch):
    place = tmp_path / "tiny"
    export_model(model, place)
    before = everything(tmp_path), (place / "models.config").read_text()

    def full(path, content):
        raise OSError("No space left on device")

    monkeypatch.setattr(serving_files, "write_whole", full)
    with pytest.raises(ExportError, match="nothing was exported: No space left"):
        export_model(model, place)
    assert before == (everything(tmp_path), (place / "models.config").read_text())


def test_two_exports_at_once_do_not_mix(bare, model, exported, tmp_path, monkeypatch):
    place = tmp_path / "tiny"

    def meanwhile(*_):
        shutil.copytree(exported, place / "1")
        return ""

    monkeypatch.setattr(card, "of", meanwhile)
    with pytest.raises(ExportError, match="could not be put in place .*run the export again"):
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


def test_a_file_in_its_place_is_refused(model, tmp_path):
    (tmp_path / "tiny").write_text("")
    with pytest.raises(ExportError, match="is a file"):
        export_model(model, tmp_path / "tiny")


def test_others_may_read_it(exported):
    assert exported.stat().st_mode & 0o055 == exported.parent.stat().st_mode & 0o055


def test_float_images(colour_model, tmp_path):
    version = export_model(colour_model, tmp_path / "colour", float_images=True)
    signatures = tf.saved_model.load(str(version)).signatures
    shown = signatures["swap"].structured_outputs["image"]
    assert shown.dtype == tf.float32 and shown.shape[1:] == (8, 9, 3)
    for value in (-0.1, 1.5, float("nan")):
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected pixels from 0 to 1"):
            signatures["encode"](image=tf.fill((1, 8, 9, 3), value))
    assert "float32: 0 to 1" in (version / "model_card.md").read_text()


def test_stable_stays_while_canary_moves(bare, model, exported, tmp_path):
    place = tmp_path / "tiny"
    shutil.copytree(exported.parent, place)
    assert labels(place) == {"stable": 1, "canary": 1}
    export_model(model, place)
    assert labels(place) == {"stable": 1, "canary": 2}
    config = place / serving_files.MODELS_FILE
    assert re.search(r"specific \{ versions: 1 versions: 2 \}", config.read_text())
    config.write_text(config.read_text().replace('"stable" value: 1', '"stable" value: 2'))
    export_model(model, place)
    assert labels(place) == {"stable": 2, "canary": 3}
    shutil.rmtree(place / "2")
    export_model(model, place)
    assert labels(place) == {"stable": 4, "canary": 4}


def labels(place):
    text = (place / serving_files.MODELS_FILE).read_text()
    return {name: int(version) for name, version in re.findall(r'key: "(\w+)" value: (\d+)', text)}


def test_the_server_reads_its_config(exported):
    pb2 = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2", reason="needs the serving extra")
    text = (exported.parent / serving_files.MODELS_FILE).read_text()
    config = text_format.Parse(text, pb2.ModelServerConfig()).model_config_list.config[0]
    assert (config.name, config.base_path, config.model_platform) == ("tiny", "/models/tiny", "tensorflow")
    assert list(config.model_version_policy.specific.versions) == [1] and dict(config.version_labels)["stable"] == 1


def test_batches_may_have_the_sizes_that_are_warmed_up(exported):
    text = (exported.parent / serving_files.BATCHING_FILE).read_text()
    sizes = [int(size) for size in re.findall(r"allowed_batch_sizes: (\d+)", text)]
    assert sizes == [1, 2, 4, 8, 16, 32, 64] and "max_batch_size { value: 64 }" in text


def test_warm_up_requests_replay(exported, loaded):
    pb2 = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2", reason="needs the serving extra")
    path = exported / "assets.extra" / "tf_serving_warmup_requests"
    asked = set()
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        request = pb2.PredictionLog.FromString(record).predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        rows = {len(value) for value in inputs.values()}
        outputs = loaded[request.model_spec.signature_name](**inputs)
        assert {len(value) for value in outputs.values()} == rows
        asked.add((request.model_spec.signature_name, *rows))
    assert asked == {(name, size) for name in loaded for size in (1, 2, 4, 8, 16, 32, 64)}


def test_without_the_extra_it_says_so(bare, model, tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    version = export_model(model, tmp_path / "tiny")
    assert "No warm-up requests were written" in caplog.text and not list((version / "assets.extra").glob("tf_*"))


def test_the_card_says_what_it_is(exported):
    text = (exported / "model_card.md").read_text()
    swap = "| `swap` | `image_s` [N, 13, 10, 1] uint8: 0 to 255<br>`image_z`"
    data = "`toy_sprites` at 13 x 10 x 1"
    for words in ("# tiny, version 1", data, "7 identities", "--s_dim=5", "at most 4096", swap, "no terms to keep"):
        assert words in text, words
    assert "--data_dir" not in text


def test_the_card_gives_table_1(exported, model):
    leak = {"mean": 0.004, "standard_error": 0.003}
    strongest = {"kind": "linear", "train": 0.5, "test": 0.96, "spread": 0.001, "chance": 0.964, "leak": leak}
    table = {"predicts": "the identity", "codes": {"z_mean": {"strongest": strongest}}}
    text = card.of(model, "tiny", exported, {"run": {"split": "test"}, "table1": table})
    assert (
        "| z, mean | 96.00 ± 0.10 | 96.4 | 0.4 ± 0.3 (zero) |" in text and "predicts the identity; `test` split" in text
    )


def test_the_readme_of_a_model_names_it(exported):
    text = (exported.parent / "README.md").read_text()
    assert "$" not in text.replace("$PWD", "").replace("$(base64", "")
    assert 'call_endpoint="encode"' in text and "/v1/models/tiny/labels/stable:predict" in text
