"""Several evaluated runs beside each other: tables of their figures, and their swap grids (figure 10, ablations).

    python -m dfv.evaluation.compare runs/yaleb runs/yaleb_no_adversary runs/yaleb_pretrained_s --out=compared

writes compared/table.md and compared/swap.png, each grid below its run's name, and prints the tables. The runs are of
one data set, and each needs --mode=evaluate first.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dfv.data.image_set import SPLITS
from dfv.evaluation.cells import mean_rates, number, percent
from dfv.evaluation.figures import beside
from dfv.pictures import save_png
from dfv.runs import FLAGS_FILE, RunError, read_flags, writing

DISENTANGLED = (
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
MORE = (
    "run",
    "PSNR, dB / SSIM",
    "nearest image of the identity: by s / by z (chance), %",
    "HSIC with the identity, p: z mean / sampled",
    "prior samples of an identity differ, of its real images",
)
TITLE = 1 / 24  # height of a run's name, of its picture's width


class _Run(NamedTuple):
    """What is shown of a run: its cells of either table, and its swap grid."""

    dataset: str
    disentangled: list[str]
    more: list[str]
    picture: np.ndarray


def _table(headings: tuple[str, ...], names: list[str], cells: Iterable[list[str]]) -> str:
    rows = [headings, ["---"] * len(headings), *([name, *own] for name, own in zip(names, cells, strict=True))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _more(results: dict[str, Any]) -> list[str]:
    own, dependence, diversity = (results[name] for name in ("reconstruction", "dependence", "diversity"))
    precision = results["retrieval"]["precision"]
    by_s, by_z = (percent(precision[code]["1"]) for code in ("s", "z_mean"))
    return [
        " / ".join(number(own["own"][name], digits) for name, digits in (("psnr", 1), ("ssim", 3))),
        f"{by_s} / {by_z} ({percent(results['retrieval']['chance'])})",
        " / ".join(number(dependence[code]["p_value"], 3) for code in ("z_mean", "z_sampled")),
        number(diversity and diversity["ratio"], 2),
    ]


def _disentangled(results: dict[str, Any]) -> list[str]:
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
    """Writes the tables and the picture of evaluated runs, and returns the tables; raises RunError."""
    runs, names = list(map(_read, run_dirs)), _names(run_dirs)
    if len(sets := sorted({run.dataset for run in runs})) > 1:
        raise RunError(f"expected runs of one data set; these are of {', '.join(sets)}. Compare each set's by itself.")
    both = (DISENTANGLED, [run.disentangled for run in runs]), (MORE, [run.more for run in runs])
    text = "\n".join(_table(headings, names, cells) for headings, cells in both)
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
        return _Run(results["run"]["dataset"], _disentangled(results), _more(results), picture)
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
