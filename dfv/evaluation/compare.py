"""Several evaluated runs beside each other: a table of their figures, and their swap grids (figure 10, ablations).

    python -m dfv.evaluation.compare runs/yaleb runs/yaleb_no_adversary runs/yaleb_pretrained_s --out=compared

writes compared/table.md and compared/swap.png, and prints the table. Each run needs --mode=evaluate first.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dfv.data.image_set import SPLITS
from dfv.evaluation.figures import beside
from dfv.evaluation.sections import mean_rates, number, percent
from dfv.pictures import save_png
from dfv.runs import RunError, writing

HEADINGS = (
    "run",
    "leak of z: mean, points",
    "sampled",
    "mean and log-variance",
    "error from s, %",
    "swap: s-donor / z-donor, %",
    "prior: s-donor, %",
    "MSE, reconstruction / same-identity swap",
    "known factors: error from z / s, %",
)


def table(names: list[str], runs: list[dict[str, Any]]) -> str:
    """A Markdown table, a row for each name and what its results.json holds."""
    rows = [HEADINGS, ["---"] * len(HEADINGS), *([name, *_cells(run)] for name, run in zip(names, runs, strict=True))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _cells(results: dict[str, Any]) -> list[str]:
    codes, likeness = results["table1"]["codes"], results["reconstruction"]
    leaks = [codes[name]["strongest"]["leak"]["mean"] for name in ("z_mean", "z_sampled", "z_mean_and_log_var")]
    judged = results.get("identity_swaps", {"swap_mean": {}, "prior_sample": {}})
    factors = results.get("factors", {}).values()
    return [
        *map(percent, leaks),
        percent(codes["s"]["strongest"]["test"], 2),
        " / ".join(map(percent, mean_rates(judged["swap_mean"]))),
        percent(_mean(judged["prior_sample"].values())),
        " / ".join(number(likeness[kind] and likeness[kind]["mse"], 4) for kind in ("own", "swap_same")),
        " / ".join(percent(_mean(factor[code]["error"] for factor in factors)) for code in ("z_mean", "s")),
    ]


def _mean(values: Iterable[float]) -> float | None:
    """Of several; None of none."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else None


def compare(run_dirs: list[Path], out_dir: Path) -> str:
    """Writes the table and the picture of evaluated runs, and returns the table; raises RunError."""
    results, pictures = [], []
    for run_dir in run_dirs:
        try:
            results.append(json.loads((run_dir / "results.json").read_text(encoding="utf-8")))
            pictures.append(np.asarray(Image.open(run_dir / "figures" / "swap.png").convert("RGB")))
        except (OSError, ValueError) as error:
            raise RunError(f"{run_dir} has no results that can be read ({error}); evaluate it first.") from error
    text = table(_names(run_dirs), results)
    with writing(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
        (out_dir / "table.md").write_text(text, encoding="utf-8")
        save_png(out_dir / "swap.png", beside(*pictures))
    return text


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
