"""A chart of quality against minutes of training, from results files."""

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dfv.evaluation.report.comparison_columns import MAIN_COLUMNS
from dfv.evaluation.results import RESULTS_FILE, Results

# Title of a panel: the column of a comparison, and which of its numbers.
PANELS = {
    "leakage of the mean of z, pp": (0, 0),
    "error rate from s, %": (3, 0),
    "swap shows the s source, %": (4, 0),
    "MSE of reconstructions": (6, 0),
}


def draw(folders: list[Path]) -> bytes:
    """A PNG with a line for each name that folders have before a hyphen, such as `dfv` and `PyTorch-15`."""
    lines: dict[str, list[tuple[float, Results]]] = {}
    for folder in folders:
        results = Results.read(folder / RESULTS_FILE)
        if results.run.training is None:
            raise ValueError(f"{folder} does not say how long its training took")
        lines.setdefault(folder.name.split("-")[0], []).append((results.run.training.minutes, results))
    figure = Figure(figsize=(12, 3.2), layout="constrained", dpi=120)
    for axis, (title, (column, position)) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for name, points in lines.items():
            points = sorted(points, key=lambda point: point[0])
            values = [MAIN_COLUMNS[column].numbers(results)[position] for _, results in points]
            axis.plot([minutes for minutes, _ in points], values, marker="o", label=name)
        axis.set(title=title, xlabel="minutes", xlim=(0, None), ylim=(0, None))
        axis.grid(alpha=0.3)
    axis.legend()
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()
