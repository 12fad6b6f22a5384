"""Errors that end a training, an evaluation or an export with a message to the user."""

from pathlib import Path


class RunError(RuntimeError):
    """A run folder cannot be used as requested; the message says what to do."""

    exit_status = 2


class TrainingError(RunError):
    """Training cannot continue; the message names the term and step and says what to do."""


class Stopped(RunError):
    """The run was stopped by a signal, after it wrote a checkpoint (kept by the chief worker only)."""

    def __init__(self, run_dir: Path, step: int, signal_number: int, is_chief: bool, several: bool):
        saved = f"saved in {run_dir}" if is_chief else f"not saved: the first worker keeps checkpoints, in {run_dir}"
        again = "start all workers again to resume." if several else "the same command resumes from there."
        super().__init__(f"stopped at step {step}, {saved}; {again}")
        self.exit_status = 128 + signal_number
