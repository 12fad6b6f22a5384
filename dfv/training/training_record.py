"""training.json: versions, hardware and time of a training, for its results."""

import dataclasses
import json
from pathlib import Path

import cattrs

from dfv.provenance import Provenance, current_provenance
from dfv.training.run_folder import write_whole

TRAINING_FILE = "training.json"


def read_training(run_dir: Path) -> Provenance | None:
    """Returns the provenance of a run's training; None for a run of an earlier version."""
    try:
        return cattrs.structure(json.loads((run_dir / TRAINING_FILE).read_text()), Provenance)
    except (OSError, ValueError, cattrs.BaseValidationError):
        return None


def add_training(run_dir: Path, minutes: float) -> None:
    """Records that this process has trained the run for this many minutes, in addition to those of earlier processes.

    The time of killed processes is unknown. Everything else describes this process.
    """
    before = read_training(run_dir)
    record = current_provenance(minutes + (before.minutes if before else 0.0))
    write_whole(run_dir / TRAINING_FILE, (json.dumps(dataclasses.asdict(record), indent=1) + "\n").encode())
