"""Small runs: their options, starting them as programs, and what they saved."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

SMALLEST = {
    "dataset": "toy_sprites",
    "toy_characters": 12,
    "image_size": 16,
    "widths": (4,),  # every level adds to the time of tracing
    "adversary_widths": (4,),
    "s_dim": 4,
    "z_dim": 4,
    "batch_size": 4,
    "num_steps": 6,
    "log_steps": 2,
    "validation_steps": 3,
    "checkpoint_steps": 3,
    "swap_other_weight": 0.0,  # without an adversary, which takes half of the time of tracing
    "prior_sample_weight": 0.0,
}
# With every kind of term and of state.
TINY = SMALLEST | {
    "swap_other_weight": 0.1,
    "prior_sample_weight": 0.1,
    "shared_variance": True,
    "identity_mmd_weight": 0.1,
    "latent_adversary_weight": 0.01,
    "num_replay_batches": 2,
}
# With three gradients that meet in one tensor, whose order in a sum is left to chance otherwise.
DETERMINISTIC = {"deterministic": True, "adversary_sees_prior_samples": True}


def as_arguments(flags: dict, run_dir: Path) -> list[str]:
    values = {k: ",".join(map(str, v)) if isinstance(v, tuple) else str(v).lower() for k, v in flags.items()}
    return [*(f"--{name}={value}" for name, value in values.items()), f"--run_dir={run_dir}"]


def weights_of(run_dir: Path) -> list[np.ndarray]:
    """All that the newest checkpoint holds: of every player, its optimizer and the replay."""
    folder = str(run_dir / "checkpoints")
    names = sorted(name for name, _ in tf.train.list_variables(folder) if name.startswith("state/"))
    assert len(names) > 50
    return [tf.train.load_variable(folder, name) for name in names]


def start(flags: dict, run_dir: Path, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "dfv.main", *as_arguments(flags, run_dir), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(path: Path, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)
