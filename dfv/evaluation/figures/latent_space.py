"""A figure of s and z: PCA and t-SNE, coloured by identity and by a known factor."""

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.labels import Labels
from dfv.evaluation.sampling import sample_rows

MAX_IDENTITIES = 10
COLOURS = {10: "tab10", 20: "tab20"}  # number of distinct colours -> colour map


def plot_latent_space(test: EncodedImages, factors: Labels | None, limit: int, seed: int = 0) -> bytes:
    """A PNG: rows are s and z, columns PCA and t-SNE coloured by identity, then t-SNE by the first known factor.

    Only the first ten identities are drawn: more colours are hard to distinguish.
    """
    some = np.unique(test.identity)[:MAX_IDENTITIES]
    rows = np.flatnonzero(np.isin(test.identity, some))
    rows = np.random.default_rng(seed).permutation(rows[sample_rows(len(rows), limit, seed)])  # none hides another
    columns = [("identity", test.identity[rows])]
    if factors is not None:
        columns.append((factors.names[0], factors.test[test.rows[rows], 0]))
    figure = Figure(figsize=(3.4 * (1 + len(columns)), 6.8), layout="constrained", dpi=150)
    axes = figure.subplots(2, 1 + len(columns), squeeze=False)
    for line, (name, codes) in zip(axes, (("s", test.s[rows]), ("z, mean", test.z_mean[rows])), strict=True):
        maps = {"PCA": _pca(codes), "t-SNE": _tsne(codes, seed)}
        panels = [("PCA", *columns[0]), *(("t-SNE", *column) for column in columns)]
        for axis, (kind, label, values) in zip(line, panels, strict=True):
            _scatter(axis, _jittered(maps[kind], seed), values, key=name != "s")
            axis.set(title=f"{name}: {kind}, by {label}", xticks=[], yticks=[])
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def _scatter(axis: Axes, points: np.ndarray, values: np.ndarray, key: bool) -> None:
    """Points [N, 2] coloured by their values [N]; key: draw a legend if there are few enough colours."""
    names, classes = np.unique(values, return_inverse=True)
    colours = next((name for number, name in COLOURS.items() if len(names) <= number), "viridis")
    dots = axis.scatter(points[:, 0], points[:, 1], c=classes, cmap=colours, s=7, linewidths=0, alpha=0.8)
    axis.spines[:].set_color("#cccccc")
    if key and colours != "viridis":
        marks = [Line2D([], [], ls="", marker=".", color=colour) for colour in dots.to_rgba(np.arange(len(names)))]
        axis.legend(
            marks,
            names,
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=-(-len(names) // 2),
            fontsize=6,
            handlelength=1,
            handletextpad=0,
            columnspacing=0.3,
            frameon=False,
        )


def _jittered(points: np.ndarray, seed: int) -> np.ndarray:
    """Points [N, 2], moved by up to a hundredth of their extent: many images may share one code."""
    return points + 0.01 * np.ptp(points, 0) * np.random.default_rng(seed).uniform(-1, 1, points.shape)


def _pca(codes: np.ndarray) -> np.ndarray:
    codes = codes if codes.shape[1] > 1 else np.pad(codes, [(0, 0), (0, 1)])
    return PCA(2, random_state=0).fit_transform(codes)


def _tsne(codes: np.ndarray, seed: int) -> np.ndarray:
    perplexity = min(30.0, max(2.0, (len(codes) - 1) / 4))
    return TSNE(2, init="random", perplexity=perplexity, random_state=seed).fit_transform(codes)
