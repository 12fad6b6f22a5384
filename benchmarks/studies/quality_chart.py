"""A chart of quality against minutes of training, from results files."""

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dfv.evaluation.report.comparison_columns import MAIN_COLUMNS
from dfv.evaluation.results import RESULTS_FILE, Results

# Title of a panel -> heading of the column of a comparison whose first number it shows.
PANELS = {
    "leakage of the mean of z, pp": "identity leakage of z: mean, pp",
    "error rate from s, %": "error rate from s, %",
    "swap shows the s source, %": "swap: s source / z source, %",
    "MSE of reconstructions": "MSE, reconstruction / same-identity swap",
}
NUMBERS = {column.heading: column.numbers for column in MAIN_COLUMNS}


def draw(folders: list[Path]) -> bytes:
    """A PNG with a line for each name that folders have before a hyphen, such as `dfv` and `PyTorch-15`."""
    lines: dict[str, list[tuple[float, Results]]] = {}
    for folder in folders:
        results = Results.read(folder / RESULTS_FILE)
        if results.run.training is None:
            raise ValueError(f"{folder} does not say how long its training took")
        lines.setdefault(folder.name.split("-")[0], []).append((results.run.training.minutes, results))
    figure = Figure(figsize=(12, 3.2), layout="constrained", dpi=120)
    for axis, (title, heading) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for name, points in lines.items():
            points = sorted(points, key=lambda point: point[0])
            values = [NUMBERS[heading](results)[0] for _, results in points]
            axis.plot([minutes for minutes, _ in points], values, marker="o", label=name)
        axis.set(title=title, xlabel="minutes", xlim=(0, None), ylim=(0, None))
        axis.grid(alpha=0.3)
    axis.legend()
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()
