"""The files that TensorFlow Serving reads: which versions, which labels, which batch sizes."""

import re
import shutil

import pytest
from google.protobuf import text_format

from export.serving import config_files
from export.versions import export_model


def test_stable_stays_while_canary_moves(unverified, model, exported, tmp_path):
    place = tmp_path / "tiny"
    shutil.copytree(exported.parent, place)
    assert labels(place) == {"stable": 1, "canary": 1}
    export_model(model, place)
    assert labels(place) == {"stable": 1, "canary": 2}
    config = place / config_files.MODELS_FILE
    assert re.search(r"specific \{ versions: 1 versions: 2 \}", config.read_text())
    config.write_text(config.read_text().replace('"stable" value: 1', '"stable" value: 2'))
    export_model(model, place)
    assert labels(place) == {"stable": 2, "canary": 3}
    shutil.rmtree(place / "2")
    export_model(model, place)
    assert labels(place) == {"stable": 4, "canary": 4}


def labels(place):
    text = (place / config_files.MODELS_FILE).read_text()
    return {name: int(version) for name, version in re.findall(r'key: "(\w+)" value: (\d+)', text)}


def test_the_server_reads_its_config(exported):
    pb2 = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2", reason="needs the serving extra")
    text = (exported.parent / config_files.MODELS_FILE).read_text()
    config = text_format.Parse(text, pb2.ModelServerConfig()).model_config_list.config[0]
    assert (config.name, config.base_path, config.model_platform) == ("tiny", "/models/tiny", "tensorflow")
    assert list(config.model_version_policy.specific.versions) == [1] and dict(config.version_labels)["stable"] == 1


def test_batches_may_have_the_sizes_that_are_warmed_up(exported):
    text = (exported.parent / config_files.BATCHING_FILE).read_text()
    sizes = [int(size) for size in re.findall(r"allowed_batch_sizes: (\d+)", text)]
    assert sizes == [1, 2, 4, 8, 16, 32, 64] and "max_batch_size { value: 64 }" in text
