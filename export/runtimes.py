"""Writes encoder and decoder as files for other runtimes, LiteRT and ONNX Runtime; needs the extra `runtimes`.

Each file is run by its runtime and compared with the Python model before it appears.
"""

import importlib.util
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from dfv.evaluation.results import Results
from dfv.model.codec import Codec
from export import ExportError
from export import model_card as card
from export.signatures import max_rows, signatures, traced
from export.verification import Arrays, cases, check_outputs
from export.versions import (
    CARD_FILE,
    appear,
    checked_place,
    for_inference,
    new_version,
    save_functions,
    temporary_folder,
)

LOGGER = logging.getLogger("export")

SIGNATURES = ("encode", "decode")

_LITERT_USAGE = """`encode.tflite` and `decode.tflite` have a signature each. After
`pip install ai-edge-litert`:

```python
from ai_edge_litert.interpreter import Interpreter

encode = Interpreter("encode.tflite").get_signature_runner("encode")
decode = Interpreter("decode.tflite").get_signature_runner("decode")
codes = encode(image=images)
images_again = decode(s=codes["s"], z=codes["z_mean"])["image"]
```"""
_ONNX_USAGE = """`encode.onnx` and `decode.onnx` are a model each. After
`pip install onnxruntime`:

```python
import onnxruntime

encode = onnxruntime.InferenceSession("encode.onnx")
decode = onnxruntime.InferenceSession("decode.onnx")
s, z_mean = encode.run(["s", "z_mean"], {"image": images})
(images_again,) = decode.run(["image"], {"s": s, "z": z_mean})
```"""


class Runtime(NamedTuple):
    """How a signature is written to a file for a runtime, and run.

    modules: Python modules that this needs. convert: writes a `tf.function`, which a SavedModel also has as the
    signature named as the file. usage: an example, in Markdown.
    """

    title: str
    suffix: str
    modules: tuple[str, ...]
    convert: Callable[[Any, Path, Path], None]
    run: Callable[[Path, Arrays], Arrays]
    usage: str


def _to_litert(function: Any, saved_model: Path, file: Path) -> None:
    # From the SavedModel, because the names of outputs are kept for signatures alone.
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=[file.stem])
    file.write_bytes(converter.convert())


def _run_litert(file: Path, inputs: Arrays) -> Arrays:
    from ai_edge_litert.interpreter import Interpreter

    return dict(Interpreter(model_path=str(file)).get_signature_runner(file.stem)(**inputs))


def _to_onnx(function: Any, saved_model: Path, file: Path) -> None:
    import tf2onnx

    tf2onnx.convert.from_function(function, input_signature=function.input_signature, output_path=str(file))


def _run_onnx(file: Path, inputs: Arrays) -> Arrays:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


RUNTIMES = {
    "litert": Runtime("LiteRT", ".tflite", ("ai_edge_litert",), _to_litert, _run_litert, _LITERT_USAGE),
    "onnx": Runtime("ONNX Runtime", ".onnx", ("tf2onnx", "onnxruntime"), _to_onnx, _run_onnx, _ONNX_USAGE),
}


def check_installed(format: str) -> None:
    """Raises ExportError if a module that the format needs is not installed."""
    missing = [name for name in RUNTIMES[format].modules if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"--format={format} needs `pip install -e '.[runtimes]'` in dfv's folder ({', '.join(missing)} not found)."
        )


def export_networks(
    model: Codec,
    export_dir: str | Path,
    format: str,
    version: int | None = None,
    float_images: bool = False,
    results: Results | None = None,
) -> Path:
    """Writes encoder and decoder to `export_dir`/`format`/VERSION, each as a file; returns this folder.

    format: "litert" (`encode.tflite`, `decode.tflite`) or "onnx" (`encode.onnx`, `decode.onnx`). Inputs and outputs
    are those of the signatures `encode` and `decode` of `export_model`, whose other arguments these are too.
    Raises ExportError, also if a file's outputs differ from those of the model; nothing is then written.
    """
    if format not in RUNTIMES:
        raise ExportError(f"format: expected one of {', '.join(RUNTIMES)}; got {format!r}.")
    place, runtime = checked_place(export_dir), RUNTIMES[format]
    check_installed(format)
    model = for_inference(model)
    if model.config.training.mixed_precision:
        raise ExportError(
            f"--format={format}: the model was trained with --mixed_precision and computes in bfloat16, which"
            f" {runtime.title} does not support in convolutions; export it without --format."
        )
    final = new_version(place / format, version)
    with temporary_folder(place) as scratch:
        saved_model, staged = scratch / "saved_model" / final.name, scratch / final.name
        staged.mkdir()
        limit, offered = max_rows(model.image_shape), signatures(model, float_images)
        functions = {name: traced(offered[name], limit) for name in SIGNATURES}
        save_functions(model, saved_model, functions)
        files = {name: staged / f"{name}{runtime.suffix}" for name in SIGNATURES}
        inputs, expected = cases(model, float_images)
        for name, file in files.items():
            received = _written_and_run(runtime, functions[name], saved_model, file, _of(name, inputs))
            check_outputs(received, _of(name, expected), f"with {runtime.title} {name}'s")
        text = card.of(model, place.name, saved_model, results, runtime.usage)
        (staged / CARD_FILE).write_text(text, encoding="utf-8")
        appear(staged, final)
    LOGGER.info("Wrote %s", final)
    return final


def _of(signature: str, arrays: Arrays) -> Arrays:
    return {name.split("/")[1]: values for name, values in arrays.items() if name.split("/")[0] == signature}


def _written_and_run(runtime: Runtime, function: Any, saved_model: Path, file: Path, inputs: Arrays) -> Arrays:
    try:
        runtime.convert(function, saved_model, file)
        return runtime.run(file, inputs)
    except Exception as error:  # converters and runtimes have no common class of errors
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ExportError(
            f"nothing was exported: {file.name} could not be converted and run ({lines[0][:300]}). Please report this"
            f" together with the versions of TensorFlow and {', '.join(runtime.modules)}."
        ) from error
