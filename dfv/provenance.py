"""Provenance of a result: date, commit, versions, hardware and time."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("dfv", "tensorflow", "keras", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Provenance:
    """Provenance of a result; None or NaN for values that an older file does not have.

    date: of completion, ISO 8601. commit: of dfv's code, with suffix "-dirty" if the checkout had changes.
    versions: of Python and of packages, by name. cpu, cores: the processor's name and the number of logical cores.
    accelerators: names of the GPUs that TensorFlow sees. minutes: wall-clock time.
    """

    date: str | None
    commit: str | None
    versions: dict[str, str]
    cpu: str | None
    cores: int | None
    accelerators: tuple[str, ...]
    minutes: float


def current_provenance(minutes: float) -> Provenance:
    """Returns the provenance of a computation in this process that took this many minutes and has just ended."""
    return Provenance(
        date=datetime.date.today().isoformat(),
        commit=commit(),
        versions={"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        cpu=cpu_name(),
        cores=os.cpu_count(),
        accelerators=_accelerators(),
        minutes=round(minutes, 2),
    )


def version(package: str) -> str:
    """The installed version of a package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "from a checkout" if package == "dfv" else "not installed"


def commit() -> str | None:
    """The commit of the checkout that this code runs from; None if it does not run from a git checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        # Fails for a copy in an environment within some other repository.
        subprocess.run([*git, "ls-files", "--error-unmatch", __file__], capture_output=True, check=True)
        described = [*git, "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(described, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def cpu_name() -> str:
    """The processor's name, as reported by Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _accelerators() -> tuple[str, ...]:
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return tuple(detail.get("device_name", "GPU") for detail in details)
