"""Several evaluated runs beside each other: tables of their figures, and their swap grids (figure 10, ablations).

    python -m dfv.evaluation.compare runs/yaleb runs/yaleb_no_adversary runs/yaleb_pretrained_s --out=compared

writes compared/table.md and compared/swap.png, each grid below its run's name, and prints the tables, with mean and
standard deviation of runs that differ by seed and split alone. The runs are of one data set, and each needs
--mode=evaluate first.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dfv.config.fields import Role
from dfv.config.renamed import current_names
from dfv.config.schema import names_by_role
from dfv.data.dataset import SPLITS
from dfv.evaluation.figures.grids import beside
from dfv.evaluation.report.comparison_columns import DISENTANGLED, MORE, Column, Numbers
from dfv.evaluation.report.formatting import mean, number
from dfv.model.image_grids import save_png
from dfv.training.run_folder import FLAGS_FILE, RunError, read_flags, writing

NOT_OF_THE_KIND = names_by_role(Role.REPETITION, Role.OUTPUT, Role.DATA_LOCATION, Role.PRESENTATION)
TITLE = 1 / 24  # height of a run's name, of its picture's width


class _Run(NamedTuple):
    """What is shown of a run: its numbers by column of either table, and its swap grid; flags: what made it."""

    dataset: str
    flags: dict[str, Any]
    numbers: dict[Column, Numbers]
    picture: np.ndarray


def _table(columns: tuple[Column, ...], names: list[str], runs: list[_Run]) -> str:
    """A row for each run, and one for those of the same flags but for seed and split: their mean ± deviation."""
    rows = [[name, *(_cell(c, run.numbers[c]) for c in columns)] for name, run in zip(names, runs, strict=True)]
    for alike in _of_one_kind(runs):
        several = ", ".join(names[i] for i in alike)
        rows.append([f"mean of {several}", *(_mean_cell(c, [runs[i].numbers[c] for i in alike]) for c in columns)])
    headings = ["run", *(column.heading for column in columns)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [headings, ["---"] * len(headings), *rows]) + "\n"


def _of_one_kind(runs: list[_Run]) -> list[list[int]]:
    """Which runs have the same flags, but for seeds and splits that all differ, where there are several."""
    kinds: dict[str, dict[tuple[int, int], int]] = {}
    for i, run in enumerate(runs):
        made_by = {name: value for name, value in run.flags.items() if name not in NOT_OF_THE_KIND}
        drawn = kinds.setdefault(json.dumps(made_by, sort_keys=True), {})
        drawn[run.flags["seed"], run.flags["split_index"]] = i
    return [list(drawn.values()) for drawn in kinds.values() if len(drawn) > 1]


def _cell(column: Column, numbers: Numbers) -> str:
    return " / ".join(map(number, numbers, column.digits))


def _mean_cell(column: Column, runs: list[Numbers]) -> str:
    """The mean of several runs' numbers and their standard deviation."""
    cells = []
    for values, digits in zip(zip(*runs, strict=True), column.digits, strict=True):
        known = [value for value in values if value is not None]
        spread = f" ± {np.std(known, ddof=1):.{digits}f}" if len(known) > 1 else ""
        cells.append(number(mean(values), digits) + spread)
    return " / ".join(cells)


def compare(run_dirs: list[Path], out_dir: Path) -> str:
    """Writes the tables and the picture of evaluated runs, and returns the tables; raises RunError."""
    runs, names = list(map(_read, run_dirs)), _names(run_dirs)
    if len(sets := sorted({run.dataset for run in runs})) > 1:
        raise RunError(f"expected runs of one data set; these are of {', '.join(sets)}. Compare each set's by itself.")
    text = "\n".join(_table(columns, names, runs) for columns in (DISENTANGLED, MORE))
    with writing(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
        (out_dir / "table.md").write_text(text, encoding="utf-8")
        save_png(out_dir / "swap.png", beside(*map(_titled, names, (run.picture for run in runs))))
    return text


def _titled(name: str, picture: np.ndarray) -> np.ndarray:
    """The picture [h, w, 3] uint8 below a run's name."""
    width = picture.shape[1]
    size = round(TITLE * width)
    strip = Image.new("RGB", (width, size), "white")
    ImageDraw.Draw(strip).text((0, 0), name, "black", ImageFont.load_default(0.75 * size))
    return np.concatenate([np.asarray(strip), picture])


def _read(run_dir: Path) -> _Run:
    try:
        results = json.loads((run_dir / "results.json").read_text(encoding="utf-8"))
        picture = np.asarray(Image.open(run_dir / "figures" / "swap.png").convert("RGB"))
    except (OSError, ValueError) as error:
        raise RunError(f"{run_dir} has no results that can be read ({error}); evaluate it first.") from error
    try:
        if (run_dir / FLAGS_FILE).exists():
            _check_up_to_date(run_dir, results["run"]["flags"]["num_steps"])
        numbers = {column: column.numbers(results) for column in (*DISENTANGLED, *MORE)}
        return _Run(results["run"]["dataset"], current_names(results["run"]["flags"]), numbers, picture)
    except (AttributeError, KeyError, TypeError) as error:
        raise RunError(f"{run_dir}/results.json is not of this version's evaluation; evaluate it anew.") from error


def _check_up_to_date(run_dir: Path, step: int) -> None:
    if read_flags(run_dir).training.num_steps != step:
        raise RunError(f"{run_dir} was trained on after its evaluation at step {step}; evaluate it again.")


def _names(run_dirs: list[Path]) -> list[str]:
    """The runs' folders; with those that they are in where another split was evaluated, or two runs have one name."""
    parts = [run_dir.resolve().parts for run_dir in run_dirs]
    depth = 2 if any(own[-1] in SPLITS for own in parts) else 1
    while len({own[-depth:] for own in parts}) < len(set(parts)):
        depth += 1
    return ["/".join(own[-depth:]) for own in parts]


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0, or 2 for what the user can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m dfv.evaluation.compare", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="folders of evaluated runs")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    given = parser.parse_args(arguments)
    try:
        print(compare(given.runs, given.out), end="")
    except RunError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
