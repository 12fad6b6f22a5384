"""Compares evaluated runs of one data set.

    python -m dfv.evaluation.compare runs/yaleb runs/yaleb_no_adversary runs/yaleb_pretrained_s --out=compared

Prints tables of their results and writes them to compared/table.md, with mean and standard deviation of runs that
differ only in seed and split. Writes their swap grids (figure 10 of the paper, ablations) side by side to
compared/swap.png. Each run needs --mode=evaluate first.
"""

import argparse
import sys
from pathlib import Path

from dfv.evaluation.report.comparison import compare
from dfv.training.run_folder import RunError


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns the exit status: 0, or 2 for an error that the user can correct."""
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
