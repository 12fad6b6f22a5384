"""Compares evaluated runs: tables of their results, and their swap grids in one picture."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dfv.config.fields import Role
from dfv.config.schema import names_by_role
from dfv.data.dataset import SPLITS
from dfv.data.image_operations import encode_png
from dfv.evaluation.evaluated_run import EvaluatedRun
from dfv.evaluation.figures.grids import side_by_side
from dfv.evaluation.metrics.swaps import mean_of_known
from dfv.evaluation.report.comparison_columns import FURTHER_COLUMNS, MAIN_COLUMNS, Column, Numbers
from dfv.evaluation.report.formatting import markdown_table, number
from dfv.evaluation.results import RESULTS_FILE, Results
from dfv.training.errors import RunError
from dfv.training.run_flags import FLAGS_FILE, read_flags
from dfv.training.run_folder import writing

# Runs that differ in nothing but these are repetitions of one run.
FREE_IN_REPETITIONS = names_by_role(Role.REPETITION, Role.OUTPUT, Role.DATA_LOCATION, Role.PRESENTATION)
TITLE = 1 / 24  # height of a run's name, relative to the width of its picture


class EvaluatedFolder(NamedTuple):
    """A run's results and its swap grid."""

    results: Results
    swap_grid: np.ndarray


def compare(run_dirs: list[Path], out_dir: Path) -> str:
    """Writes table.md and swap.png of evaluated runs into out_dir and returns the tables; raises RunError."""
    runs, names = list(map(_read, run_dirs)), _names(run_dirs)
    if len(datasets := sorted({_dataset(run.results.run) for run in runs})) > 1:
        raise RunError(
            f"expected runs of one data set; got {', '.join(datasets)}. Compare the runs of each data set separately."
        )
    results = [run.results for run in runs]
    text = "\n".join(_table(columns, names, results) for columns in (MAIN_COLUMNS, FURTHER_COLUMNS))
    picture = side_by_side(*(_titled(name, run.swap_grid) for name, run in zip(names, runs, strict=True)))
    with writing(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
        (out_dir / "table.md").write_text(text, encoding="utf-8")
        (out_dir / "swap.png").write_bytes(encode_png(picture))
    return text


def _dataset(run: EvaluatedRun) -> str:
    return " ".join([run.dataset, run.flags.get("tfds_name", "")]).strip()


def _table(columns: tuple[Column, ...], names: list[str], runs: list[Results]) -> str:
    """A row for each run, and one for each group of repetitions: mean ± standard deviation."""
    numbers = [[column.numbers(run) for column in columns] for run in runs]
    rows = [[name, *map(_cell, columns, own)] for name, own in zip(names, numbers, strict=True)]
    for group in _repetitions([run.run for run in runs]):
        by_column = zip(*(numbers[i] for i in group), strict=True)
        title = f"mean of {', '.join(names[i] for i in group)}"
        rows.append([title, *map(_mean_cell, columns, by_column)])
    headings = ["run", *(column.heading for column in columns)]
    return markdown_table(headings, rows)


def _repetitions(runs: list[EvaluatedRun]) -> list[list[int]]:
    """The positions of runs that differ in seeds or data splits alone, of one evaluated split, if there are several."""
    groups: dict[str, dict[tuple[int, int], int]] = {}
    for i, run in enumerate(runs):
        fixed = {name: text for name, text in run.flags.items() if name not in FREE_IN_REPETITIONS}
        groups.setdefault(json.dumps([run.split, fixed], sort_keys=True), {})[run.seed, run.split_index] = i
    return [list(group.values()) for group in groups.values() if len(group) > 1]


def _cell(column: Column, numbers: Numbers) -> str:
    return " / ".join(map(number, numbers, column.digits))


def _mean_cell(column: Column, runs: tuple[Numbers, ...]) -> str:
    """The mean of the numbers of several runs and their standard deviation."""
    cells = []
    for values, digits in zip(zip(*runs, strict=True), column.digits, strict=True):
        known = [value for value in values if not np.isnan(value)]
        spread = f" ± {np.std(known, ddof=1):.{digits}f}" if len(known) > 1 else ""
        cells.append(number(mean_of_known(values), digits) + spread)
    return " / ".join(cells)


def _titled(name: str, picture: np.ndarray) -> np.ndarray:
    """The picture [h, w, 3] uint8 below a run's name."""
    width = picture.shape[1]
    size = round(TITLE * width)
    strip = Image.new("RGB", (width, size), "white")
    ImageDraw.Draw(strip).text((0, 0), name, "black", ImageFont.load_default(0.75 * size))
    return np.concatenate([np.asarray(strip), picture])


def _read(run_dir: Path) -> EvaluatedFolder:
    results = Results.read(run_dir / RESULTS_FILE)
    folder = run_dir.resolve()
    of_run = folder.parent if folder.name in SPLITS else folder
    if (of_run / FLAGS_FILE).exists() and read_flags(of_run).training.num_steps != results.run.num_steps:
        steps = results.run.num_steps
        raise RunError(f"{run_dir} was trained further after its evaluation at step {steps}; evaluate it again.")
    try:
        with Image.open(run_dir / "figures" / "swap.png") as picture:
            return EvaluatedFolder(results, np.asarray(picture.convert("RGB")))
    except (OSError, ValueError) as error:
        raise RunError(f"{run_dir} has no readable swap grid ({error}); evaluate it again.") from error


def _names(run_dirs: list[Path]) -> list[str]:
    """The runs' folder names, with those of parent folders where they are needed to tell runs or splits apart."""
    parts = [run_dir.resolve().parts for run_dir in run_dirs]
    depth = 2 if any(own[-1] in SPLITS for own in parts) else 1
    while len({own[-depth:] for own in parts}) < len(set(parts)):
        depth += 1
    return ["/".join(own[-depth:]) for own in parts]
