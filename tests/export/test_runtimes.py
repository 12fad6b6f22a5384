"""Encoder and decoder as files for other runtimes, each run by its own runtime."""

import numpy as np
import pytest

import dfv
import export.runtimes
from export import ExportError, export_networks
from export.__main__ import main
from export.runtimes import RUNTIMES, Runtime
from export.verification import compare
from tests.export.conftest import make_model


def images_for(model, rows: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (rows, *model.image_shape), np.uint8)


def run_litert(folder, name, inputs):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(str(folder / f"{name}.tflite"))
    assert list(interpreter.get_signature_list()) == [name]
    return interpreter.get_signature_runner(name)(**inputs)


def run_onnx(folder, name, inputs):
    session = pytest.importorskip("onnxruntime").InferenceSession(str(folder / f"{name}.onnx"))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


RUNNERS = {"litert": run_litert, "onnx": run_onnx}


def assert_equal_to_the_python_model(model, format, folder, float_images=False):
    for rows in (1, 5):
        images = images_for(model, rows)
        codes = model.encode(images)
        given = np.float32(images / 255.0) if float_images else images
        received = RUNNERS[format](folder, "encode", {"image": given})
        assert received.keys() == {"s", "z_mean", "z_log_var"}
        for name, expected in {"s": codes.s, "z_mean": codes.z.mean, "z_log_var": codes.z.log_var}.items():
            np.testing.assert_allclose(received[name], expected, rtol=1e-4, atol=1e-4, err_msg=name)
        swapped = RUNNERS[format](folder, "decode", {"s": codes.s[::-1].copy(), "z": codes.z.mean})["image"]
        expected = model.decode(codes.s[::-1], codes.z.mean)
        difference, limit = compare(np.rint(255 * swapped).astype("u1") if float_images else swapped, expected)
        assert difference <= limit


@pytest.fixture(params=["litert", "onnx"])
def format(request) -> str:
    for module in RUNTIMES[request.param].modules:
        pytest.importorskip(module, reason="needs the extra `runtimes`")
    return request.param


@pytest.mark.runtimes
@pytest.mark.filterwarnings("default")  # of converters
def test_the_runtime_computes_what_the_python_model_does(format, model, tmp_path):
    folder = export_networks(model, tmp_path / "tiny", format)
    assert folder == tmp_path / "tiny" / format / "1" and [path.name for path in tmp_path.iterdir()] == ["tiny"]
    suffix = RUNTIMES[format].suffix
    assert {path.name for path in folder.iterdir()} == {f"encode{suffix}", f"decode{suffix}", "model_card.md"}
    card = (folder / "model_card.md").read_text()
    assert f"`encode{suffix}`" in card and "`z` [N, 3] float32" in card and "serving_default" not in card
    assert_equal_to_the_python_model(model, format, folder)


@pytest.mark.runtimes
@pytest.mark.filterwarnings("default")
def test_float_images_and_rounded_codes(format, colour_model, tmp_path):
    folder = export_networks(colour_model, tmp_path / "colour", format, version=4, float_images=True)
    assert folder.name == "4"
    assert_equal_to_the_python_model(colour_model, format, folder, float_images=True)
    with pytest.raises(ExportError, match="4 exists, and versions are not overwritten"):
        export_networks(colour_model, tmp_path / "colour", format, version=4)


@pytest.mark.slow
@pytest.mark.runtimes
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", ["quickstart", "mnist"])
def test_shipped_models(format, name, tmp_path):
    assert main([f"--run_dir={name}", f"--export_dir={tmp_path}/{name}", f"--format={format}"]) == 0
    assert_equal_to_the_python_model(dfv.load(name), format, tmp_path / name / format / "1")


@pytest.mark.runtimes
def test_openvino_reads_encode_of_the_saved_model(model, exported):
    openvino = pytest.importorskip("openvino", reason="needs the extra `runtimes`")
    core = openvino.Core()
    # By default it may compute in bfloat16, where the processor can.
    compiled = core.compile_model(core.read_model(str(exported)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for rows in (1, 5):
        images = images_for(model, rows)
        received, codes = compiled({"image": images}), model.encode(images)
        for name, expected in {"s": codes.s, "z_mean": codes.z.mean, "z_log_var": codes.z.log_var}.items():
            np.testing.assert_allclose(received[name], expected, rtol=1e-4, atol=1e-4, err_msg=name)


def stand_in(change: float = 0.0, modules: tuple[str, ...] = ()) -> Runtime:
    """A runtime that is there without the extra: its files hold nothing, and its outputs are the expected ones."""

    def run(file, inputs):
        return {name: values + type(values.flat[0])(change) for name, values in EXPECTED[file.stem].items()}

    return Runtime("Stand-in", ".onnx", modules, lambda function, saved_model, file: file.touch(), run, "usage")


EXPECTED: dict[str, dict[str, np.ndarray]] = {}


@pytest.fixture
def expected(cases):
    for name, values in cases[1].items():
        signature, output = name.split("/")
        EXPECTED.setdefault(signature, {})[output] = values


def test_the_files_appear_if_their_outputs_are_equal(model, tmp_path, monkeypatch, expected):
    monkeypatch.setitem(RUNTIMES, "onnx", stand_in())
    assert (export_networks(model, tmp_path / "tiny", "onnx") / "encode.onnx").exists()


@pytest.fixture
def not_saved(monkeypatch):
    """Leaves out the SavedModel, which only converters and the model card read."""
    monkeypatch.setattr(export.runtimes, "save_functions", lambda *_: None)


def test_a_difference_means_that_nothing_is_written(model, tmp_path, monkeypatch, expected, not_saved):
    monkeypatch.setitem(RUNTIMES, "onnx", stand_in(change=0.01))
    with pytest.raises(ExportError, match=r"nothing was exported: with Stand-in encode's \w+ differs from the Python"):
        export_networks(model, tmp_path / "tiny", "onnx")
    assert not list(tmp_path.iterdir())


def test_a_converter_that_fails_is_named_and_nothing_is_written(model, tmp_path, monkeypatch, not_saved):
    def fail(*_):
        raise RuntimeError("no such operation\nmore lines")

    monkeypatch.setitem(RUNTIMES, "onnx", stand_in()._replace(convert=fail))
    with pytest.raises(ExportError, match=r"encode\.onnx could not be converted and run \(no such operation\)"):
        export_networks(model, tmp_path / "tiny", "onnx")
    assert not list(tmp_path.iterdir())


def test_what_is_not_installed_is_named_before_the_model_is_loaded(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(export.runtimes.RUNTIMES, "litert", stand_in(modules=("numpy", "no_such_module")))
    assert main(["--run_dir=quickstart", f"--export_dir={tmp_path}/quickstart", "--format=litert"]) == 2
    error = capsys.readouterr().err
    assert "--format=litert needs `pip install -e '.[runtimes]'` in dfv's folder (no_such_module not found)" in error
    assert not list(tmp_path.iterdir())


def test_a_model_in_bfloat16_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(RUNTIMES, "onnx", stand_in())
    with pytest.raises(ExportError, match="trained with --mixed_precision and computes in bfloat16"):
        export_networks(make_model(mixed_precision=True), tmp_path / "tiny", "onnx")
    assert not list(tmp_path.iterdir())
