"""Renders the results of an evaluation with its figures, or of a leakage test, in one HTML file without scripts."""

import base64
import math
from functools import cache

import jinja2

from dfv.evaluation.leakage.results import LeakageResults
from dfv.evaluation.report import formatting
from dfv.evaluation.report.published import TABLE_1
from dfv.evaluation.results import Results

# In the order in which the report shows them.
CAPTIONS = {
    "swap": "Swaps (figure 2a of the paper). The top row and the left column are real images. Every other image is"
    " decoded from the s of the image at the top and the z of the image at the left; on the diagonal are"
    " reconstructions.",
    "interpolation": "Interpolation (figure 2b), two grids. The images at the top left and bottom right are real. z"
    " changes from row to row, s from column to column.",
    "analogies": "Analogies. From top to bottom: the s source, the z source, the swap, the true image.",
    "reconstruction": "Reconstruction. From top to bottom: real images; their reconstructions; other images of the same"
    " identities; swaps with the s of the third row and the z of the first.",
    "generation": "Conditional generation (figures 5 and 8). Left: a real image. Right: images decoded from its s and"
    " random z from the prior.",
    "retrieval_s": "Retrieval by s (figure 4). Left: the query. Right: its nearest neighbours among the test images.",
    "retrieval_z": "Retrieval by the mean of z (figure 4).",
    "latent_space": "Latent space. PCA and t-SNE of s and of the mean of z, for up to ten identities.",
}


def render(results: Results, figures: dict[str, bytes]) -> str:
    """The page as HTML; figures: PNGs by the names of CAPTIONS."""
    shown = [(caption, _data_uri(figures[name])) for name, caption in CAPTIONS.items() if name in figures]
    published = TABLE_1.get(results.run.dataset)
    return _environment().get_template("report.html").render(results=results, figures=shown, published=published)


def render_leakage_test(results: LeakageResults, source: str) -> str:
    """The page of a leakage test as HTML; source: name of the file with the codes."""
    return _environment().get_template("leakage_test.html").render(results=results, source=source)


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dfv.evaluation.report"),
        autoescape=jinja2.select_autoescape(),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "by_code": formatting.by_code,
        "number": formatting.number,
        "percent": formatting.percent,
        "with_standard_error": formatting.with_standard_error,
    }
    environment.tests["known"] = lambda value: value is not None and not math.isnan(value)
    return environment
