"""Tests how well labels, such as the identity, can be predicted from codes of any model.

    python -m dfv.evaluation.leakage codes.npz

Arrays of codes.npz, for each SPLIT of train, validation and test, of N images each (docs/leakage.md has an example):
  SPLIT_codes        [N, D] floats.
  SPLIT_labels       [N] or [N, L] integers or strings: what the probes predict, such as the identity.
  SPLIT_groups       optional, [N] integers or strings: images of a group are dependent. Each group is in one split. If
                     labels are attributes of identities that are not in training, the identity.
  SPLIT_factor_NAME  optional, [N] integers or strings, or floats if continuous: a known factor that varies within an
                     identity, such as the pose.

Without SPLIT_ in all names, the images are divided at random within each label: 60 % train, 20 % validation, 20 % test.

Probes (networks, a linear classifier, nearest neighbours, boosted trees) are trained on train codes. The strongest on
validation codes is evaluated on test codes; both should be of images that the model was not trained on. Leakage is the
error rate of a probe trained on permuted labels minus that of the probe. Prints a table, and writes table.md,
leakage.json and report.html into the folder --out.
"""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, ConfigError, option
from dfv.config.paths import given_path
from dfv.data.dataset import DataError
from dfv.evaluation.leakage.codes_file import read
from dfv.evaluation.leakage.measurement import measure
from dfv.program import Program
from dfv.tensorflow_log import import_tensorflow
from dfv.training.errors import RunError
from dfv.training.run_folder import write_whole, writing

LOGGER = logging.getLogger("dfv.evaluation.leakage")


@dataclass(frozen=True)
class LeakageOptions(Checked):
    """How the test is made, and where its results are written."""

    out: str = option("", "Folder to write; default: NAME_leakage for NAME.npz.", is_path=True)
    overwrite: bool = option(False, "Write to an --out that exists; other files in it are kept.")
    probe_seeds: int = option(3, "Number of times that each probe is trained.", at_least=1, at_most=100)
    stronger_probes: bool = option(
        True, "Use a deep network and boosted trees too; false: only the probes of the evaluation of dfv's own models."
    )


def run(arguments: Arguments) -> None:
    """Tests the codes of a file; raises ConfigError, DataError or RunError."""
    options = arguments.record(LeakageOptions)
    if len(arguments.positional) != 1:
        got = " ".join(arguments.positional) or "none"
        raise ConfigError(f"expected one .npz file with codes and labels, got {got}; --help describes the file.")
    path = Path(given_path("codes", arguments.positional[0]))
    out_dir = Path(options.out or f"{path.stem}_leakage")
    _check_out(out_dir, options.overwrite)
    splits = read(path)
    LOGGER.info("Testing the codes of %s; writing the report to %s", path, out_dir)
    import_tensorflow()
    from dfv.evaluation.leakage.table import table
    from dfv.evaluation.report.report import render_leakage_test

    with writing(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
    results = measure(*splits, seeds=options.probe_seeds, stronger_probes=options.stronger_probes)
    text = table(results)
    contents = {
        "leakage.json": results.to_json(),
        "table.md": text,
        "report.html": render_leakage_test(results, path.name),
    }
    with writing(out_dir):
        for name, content in contents.items():
            write_whole(out_dir / name, content.encode())
    print(text, end="")


def _check_out(out_dir: Path, overwrite: bool) -> None:
    """Raises ConfigError if files could be replaced without leave."""
    try:
        occupied = out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir()))
    except OSError as error:
        raise ConfigError(f"--out={out_dir} cannot be read ({error.strerror}). Give another --out.") from error
    if occupied and not overwrite:
        raise ConfigError(f"--out={out_dir} exists and is not an empty folder. Give another --out, or add --overwrite.")


PROGRAM = Program(
    module="dfv.evaluation.leakage",
    name="leakage",
    description=__doc__ or "",
    groups={"Test": LeakageOptions},
    run=run,
    errors=(ConfigError, DataError, RunError),
    positional=True,
    stopped="stopped; nothing was written.",
)
main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
