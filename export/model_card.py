"""The model card of a version: data, training, results and signatures."""

from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from dfv.config.fields import Role
from dfv.config.flag_files import flag_text
from dfv.config.schema import names_by_role
from dfv.evaluation.report.formatting import by_code, percent, with_standard_error
from dfv.evaluation.results import Results
from dfv.model.codec import Codec
from dfv.training.model_files import SAVED_MODEL
from export.signatures import DEFAULT, MAX_CODE, MAX_WEIGHT, max_rows

TERMS = {
    "toy_sprites": "The images are drawn by dfv's own code, without further terms.",
    "mnist": "MNIST (LeCun, Cortes, Burges) is licensed under Creative Commons Attribution-Share Alike 3.0.",
    "sprites": "Sprites are made of art of the Liberated Pixel Cup: Creative Commons Attribution-Share Alike 3.0 and"
    " GPL 3.0; credit its artists where images are shown.",
    "smallnorb": "Small NORB (LeCun, Huang, Bottou) is for research only and must not be sold; cite its paper.",
    "yaleb": "Extended Yale B is free for research; acknowledge it and cite Georghiades et al. (2001) and Lee et al."
    " (2005). Images made by this model may show its subjects.",
    "tfds": "The catalogue of TensorFlow Datasets names the source and the terms of the data set --tfds_name.",
} | dict.fromkeys(
    ("image_folder", "arrays"), "The images belong to those who trained this model; ask them for the terms."
)
FITS = {
    "crop": "they are cropped in the middle to the model's aspect ratio, and resized to",
    "pad": "they are resized to fit, between white bars, into",
    "stretch": "they are resized, without keeping the aspect ratio, to",
}
RANGES = {
    "image": "0 to 255",
    "float image": "0 to 1",
    "bytes": "PNG or JPEG",
    "seed": "any",
    "weight": f"0 (a) to 1 (b); up to -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}",
    "code": f"-{MAX_CODE:g} to {MAX_CODE:g}",
    "log_var": "natural logarithm of the variance",
}
LEFT_OUT = names_by_role(Role.DATA_LOCATION, Role.PRESENTATION)


def of(model: Codec, name: str, version: Path, results: Results | None, usage: str | None = None) -> str:
    """Returns the model card, as Markdown, of the SavedModel in the folder `version`.

    name: of the model. results: of an evaluation; None if the model was not evaluated.
    usage: an example, in Markdown, for files of another format that were converted from this SavedModel.
    """
    config = model.config
    flags = [f"--{key}={flag_text(value)}" for key, value in config.as_flags().items() if key not in LEFT_OUT]
    parts = [
        f"# {name}, version {version.name}",
        "Encodes an image as two codes: s, which holds its identity, and z, which holds everything else, such as"
        " pose, lighting or style. Method: Mathieu et al., Disentangling factors of variation in deep representations"
        f" using adversarial training (NIPS 2016). Exported with TensorFlow {tf.__version__}.",
        "## Data",
        f"`{config.data.dataset}` at {' x '.join(map(str, model.image_shape))} (height, width, channels),"
        f" {model.label_sizes[0]} identities. {TERMS[config.data.dataset]}",
        "The model is valid only for images like these: given any other image, it still generates one like these. It"
        " must not be used to identify people.",
        "## Results",
        _leakage_table(results),
        "## Signatures",
        *(_served(model, version) if usage is None else _converted(version, usage)),
        "## Training",
        "```\n" + "\n".join(flags) + "\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _served(model: Codec, version: Path) -> list[str]:
    return [
        "N is the number of rows, the same for all inputs and outputs of a request and at most"
        f" {max_rows(model.image_shape)}. The result of a row does not depend on other rows. `serving_default` is the"
        " same as `encode`. The same seed always gives the same image.",
        _signature_table(version),
        "Encoded images may have any size up to 33 megapixels and 16384 pixels a side. As in training,"
        f" {FITS[model.config.data.fit_in_training]} the model's height and width. Transparent pixels become white, 16"
        " bits are rounded to 8, colour is converted to grey for a grey model, and the EXIF orientation of JPEG images"
        " is applied (of PNG images it is ignored). A row that is not an image, or a number out of range, fails the"
        " whole request.",
    ]


def _converted(version: Path, usage: str) -> list[str]:
    return [
        usage,
        "N is the number of rows, the same for all inputs and outputs. The result of a row does not depend on other"
        " rows. Ranges are not checked: outside them, the outputs mean nothing.",
        _signature_table(version),
    ]


def _signature_table(version: Path) -> str:
    content = saved_model_pb2.SavedModel.FromString((version / SAVED_MODEL).read_bytes())
    lines = ["| signature | inputs | outputs |", "|---|---|---|"]
    for name, signature in sorted(content.meta_graphs[0].signature_def.items()):
        if not name.startswith("__") and name != DEFAULT:
            cells = (_described(signature.inputs), _described(signature.outputs).replace(RANGES["bytes"], "PNG"))
            lines.append(f"| `{name}` | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _described(side: dict[str, meta_graph_pb2.TensorInfo]) -> str:
    cells = []
    for name, info in sorted(side.items()):
        shape, dtype = [dim.size for dim in info.tensor_shape.dim][1:], tf.as_dtype(info.dtype)
        cells.append(f"`{name}` [{', '.join(['N', *map(str, shape)])}] {dtype.name}: {RANGES[_kind(name, dtype)]}")
    return "<br>".join(cells)


def _kind(name: str, dtype: tf.DType) -> str:
    if dtype == tf.string:
        return "bytes"
    if name.startswith("image"):
        return "image" if dtype == tf.uint8 else "float image"
    if name.startswith(("seed", "weight")):
        return name.split("_")[0]
    return "log_var" if name == "z_log_var" else "code"


def _leakage_table(results: Results | None) -> str:
    if results is None:
        return "Not evaluated."
    lines = ["| code | test error, % | permutation baseline, % | identity leakage, pp |", "|---|---|---|---|"]
    for name, code in by_code(results.leakage):
        probe = code.strongest
        error = f"{percent(probe.test_error, 2)} ± {percent(probe.test_error_std, 2)}"
        cells = [name, error, percent(probe.permutation_baseline), with_standard_error(probe.leakage)]
        lines.append(f"| {' | '.join(cells)} |")
    explanation = (
        f"Test error of probes, classifiers that are trained to predict {results.leakage.target} from a code, on the"
        f" {results.run.split} split; for each code, the strongest of several probes. The permutation baseline is the"
        " error after training on permuted labels, the identity leakage the difference in percentage points (pp). ±:"
        " standard deviation over seeds of the error, standard error of the leakage; not significant: within two"
        " standard errors of zero."
    )
    return explanation + "\n\n" + "\n".join(lines)
