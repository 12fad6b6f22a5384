"""Warm-up requests: one for each signature and batch size, each of which runs."""

import sys

import pytest
import tensorflow as tf

from export.versions import export_model


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


def test_without_the_extra_it_says_so(unverified, model, tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    version = export_model(model, tmp_path / "tiny")
    assert "No warm-up requests were written" in caplog.text and not list((version / "assets.extra").glob("tf_*"))
