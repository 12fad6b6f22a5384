"""Compares evaluated runs of one data set.

    python -m dfv.evaluation.compare runs/yaleb runs/yaleb_no_adversary runs/yaleb_pretrained_s --out=compared

Prints tables of their results and writes them to compared/table.md, including mean and standard deviation over runs
that differ only in seed and split. Writes their swap grids (figure 10 of the paper) side by side to compared/swap.png.
Evaluate each run with --mode=evaluate first.
"""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, ConfigError, option
from dfv.config.paths import given_path
from dfv.program import Program
from dfv.tensorflow_log import import_tensorflow
from dfv.training.errors import RunError

LOGGER = logging.getLogger("dfv.compare")


@dataclass(frozen=True)
class CompareOptions(Checked):
    """Output of the comparison."""

    out: str = option("", "Output folder for table.md and swap.png.", is_path=True, required=True)


def run(arguments: Arguments) -> None:
    """Writes and prints the comparison; raises ConfigError or RunError."""
    out_dir = Path(arguments.record(CompareOptions).out)
    run_dirs = [Path(given_path("run", name)) for name in arguments.positional]
    if not run_dirs:
        raise ConfigError("expected folders of evaluated runs, got none; --help shows an example.")
    LOGGER.info("Comparing %s; writing tables to %s", ", ".join(map(str, run_dirs)), out_dir)
    import_tensorflow()
    from dfv.evaluation.report.comparison import compare

    print(compare(run_dirs, out_dir), end="")


PROGRAM = Program(
    module="dfv.evaluation.compare",
    name="compare",
    description=__doc__ or "",
    groups={"Comparison": CompareOptions},
    run=run,
    errors=(ConfigError, RunError),
    positional=True,
)
main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
