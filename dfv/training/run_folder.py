"""The folder of a run: its flags, its lock, its table of metrics, its model."""

import contextlib
import csv
import fcntl
import importlib.metadata
import io
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dfv.config.flag_files import flag_text
from dfv.config.paths import check_path, expand_home
from dfv.config.renamed import current_names
from dfv.config.schema import FREE_TO_CHANGE, Config, option_fields
from dfv.keras_backend import check_backend

if TYPE_CHECKING:
    from dfv.model.codec import Codec
    from dfv.model.disentangler import Disentangler

FLAGS_FILE, MODEL_FILE, METRICS_FILE, IMAGES_FILE = "config.flags", "model.keras", "metrics.csv", "images.sha256"
SHIPPED_MODELS = Path(__file__).parents[1] / "pretrained"
PACKAGES = ("dfv", "tensorflow", "keras", "numpy", "tensorflow-datasets")


# Columns of metrics.csv in runs that an earlier version began.
FORMER_COLUMNS = {
    "prior_per_identity": "identity_mmd",
    "kernel": "mean_kernel",
    "z_classifier": "latent_adversary",
    "z_classifier_on_mean": "latent_adversary_on_mean",
    "z_classifier_on_sample": "latent_adversary_on_sample",
    "validation_reconstruction": "val_reconstruction",
    "validation_swap_same": "val_swap_same",
    "validation_kl": "val_kl",
}


class RunError(RuntimeError):
    """A run folder that cannot be used as asked; the message says what to do."""

    exit_status = 2


def parse_flag(kind: Any, text: str) -> Any:
    """The value that `flag_text` wrote, for a field of this type."""
    if kind is bool:
        return {"true": True, "false": False}[text]
    return tuple(int(part) for part in text.split(",")) if kind not in (int, float, str) else kind(text)


def write_flags(run_dir: Path, config: Config) -> None:
    """Writes `config.flags`, which alone repeats the run, headed by what it ran with."""
    header = [
        "# Repeats this run: python -m dfv.main --flagfile=config.flags --run_dir=ANOTHER_FOLDER",
        f"# commit {_commit()}, Python {platform.python_version()}, {platform.machine()}",
        "# " + ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    ]
    for _, field in option_fields():
        if field.metadata["is_path"]:
            check_path(field.name, config.as_flags()[field.name])
    lines = [f"--{name}={flag_text(value)}" for name, value in config.as_flags().items()]
    write_whole(run_dir / FLAGS_FILE, "\n".join([*header, *lines, ""]).encode())


def read_flags(run_dir: Path) -> Config:
    """The config of a run folder; raises RunError if the file is missing or not one that `write_flags` wrote."""
    path = run_dir / FLAGS_FILE
    kinds = {field.name: field.type for _, field in option_fields()}
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("--")]
        named = current_names(dict(line[2:].split("=", 1) for line in lines))
        return Config.of(**{name: parse_flag(kinds[name], text) for name, text in named.items()})
    except FileNotFoundError as error:
        raise RunError(f"{run_dir} is no run folder: it has no {FLAGS_FILE}.") from error
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{path} cannot be read as a run's flags ({error}); restore it or start a new run.") from error


def check_same_run(run_dir: Path, config: Config) -> None:
    """Raises RunError, naming the flags, if `config` would continue the run as another one."""
    before, now = read_flags(run_dir).as_flags(), config.as_flags()
    changed = [name for name in now if before[name] != now[name] and name not in FREE_TO_CHANGE]
    if changed:
        listed = "; ".join(f"--{name} was {flag_text(before[name])}, is {flag_text(now[name])}" for name in changed)
        raise RunError(f"{run_dir} holds a run with other flags: {listed}. Take them back, or give another --run_dir.")


def check_same_images(run_dir: Path, digest: str) -> None:
    """Raises RunError if the run was trained on other splits than those of this `Splits.digest`."""
    path = run_dir / IMAGES_FILE
    if path.exists() and path.read_bytes().strip() != digest.encode():
        raise RunError(
            f"{run_dir} was trained on other images, or other splits of them, than there are now; some that it was"
            " trained on may be test images now. Put back the data that it had, or train anew in another --run_dir. If"
            f" they are sure to be the same, read by other versions of the packages, delete {path}."
        )


@contextlib.contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """Holds the run folder, made if need be, for this process alone."""
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        handle = (run_dir / "lock").open("w")
    except OSError as error:
        raise RunError(f"--run_dir={run_dir} cannot be written ({error.strerror}); choose another folder.") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(
                f"another process is running in {run_dir}; wait for it or give another --run_dir."
            ) from error
        yield


@contextlib.contextmanager
def writing(run_dir: Path) -> Iterator[None]:
    """Turns a failure to write into a run's folder into a RunError that says what to do."""
    import tensorflow as tf

    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:200]
        raise RunError(
            f"{run_dir} cannot be written ({reason}). What was saved before is whole; make room or allow writing there,"
            " and the same command continues."
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file that is either the old or the new one, whatever happens."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(content)
    aside.replace(path)


class TrainingError(RunError):
    """A run that cannot go on; the message names the term and step and says what to do."""


class Stopped(RunError):
    """The run was asked to stop, and did after writing a checkpoint, of which only the chief worker's is kept."""

    def __init__(self, run_dir: Path, step: int, signal_number: int, is_chief: bool, several: bool):
        saved = f"saved in {run_dir}" if is_chief else f"not saved: the first worker keeps checkpoints, in {run_dir}"
        again = "start all workers again to continue." if several else "the same command continues from there."
        super().__init__(f"stopped at step {step}, {saved}; {again}")
        self.exit_status = 128 + signal_number


class MetricsTable:
    """metrics.csv: a row for each logged step; rows past the step a run continues from are dropped."""

    def __init__(self, path: Path, columns: list[str], first_step: int):
        self._path, self._columns = path, ["step", *columns]
        rows = [row for row in self._rows() if int(row["step"]) <= first_step]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(path, text.getvalue().encode())

    def _rows(self) -> list[dict[str, str]]:
        if not self._path.exists():
            return []
        with self._path.open(newline="") as file:
            # The last row may have been cut off by a crash.
            rows = [row for row in csv.DictReader(file) if row["step"].isdigit() and None not in row.values()]
        return [{FORMER_COLUMNS.get(name, name): value for name, value in row.items()} for row in rows]

    def add(self, step: int, values: dict[str, float]) -> None:
        """Appends a row; columns without a value stay empty."""
        row = {"step": step, **{name: f"{value:.6g}" for name, value in values.items()}}
        with self._path.open("a", newline="") as file:
            csv.DictWriter(file, self._columns).writerow(row)


class ModelFile:
    """model.keras of a run: its codec, for use once it is finished, written whole or not at all."""

    def __init__(self, model: "Disentangler", run_dir: Path):
        self._model, self._path = model, run_dir / MODEL_FILE

    @cached_property
    def _copy(self) -> "Codec":
        from dfv.model.codec import Codec

        return Codec.from_config(self._model.get_config())

    def save(self) -> None:
        """Writes the weights as they are now, with PCA folded into the networks once the run is finished."""
        aside = self._path.with_name(f".{os.getpid()}-{MODEL_FILE}")
        try:
            (self._model.folded() if self._model.latent.is_fitted() else self._unfitted()).save(aside)
            aside.replace(self._path)
        finally:
            aside.unlink(missing_ok=True)

    def _unfitted(self) -> "Codec":
        for part in ("encoder", "decoder"):
            getattr(self._copy, part).set_weights(getattr(self._model, part).get_weights())
        return self._copy


def find_run(name: str | Path) -> Path:
    """The run folder of this name or, where there is none, that of a model that comes with the package."""
    run_dir = expand_home("run_dir", name)
    if os.path.isdir(run_dir):  # Path.is_dir raises for some paths that cannot be read
        return run_dir
    if str(name) in shipped_names():
        return SHIPPED_MODELS / name
    raise RunError(f"{name} is neither a run folder nor a shipped model ({', '.join(shipped_names()) or 'none'}).")


def find_model(name: str | Path) -> Path:
    """The model file of a run folder or of a shipped model; raises RunError if there is none."""
    path = find_run(name) / MODEL_FILE
    if not os.path.exists(path):
        raise RunError(f"{name} has no {MODEL_FILE} yet: train it, or wait for its first checkpoint.")
    return path


def shipped_names() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(path.parent.name for path in SHIPPED_MODELS.glob(f"*/{MODEL_FILE}"))


def load(name: str | Path) -> "Codec":
    """The trained model of a run folder, or a shipped one by its name; raises RunError if there is none."""
    check_backend()
    import keras

    from dfv.model.codec import Codec  # registers the class

    path = find_model(name)
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:
        raise RunError(f"{path} is no model that this version can load ({error}).") from error
    if not isinstance(model, Codec):
        raise RunError(f"{path} holds a {type(model).__name__}, not a dfv model.")
    return model


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "from a checkout" if name == "dfv" else "not installed"


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return f"unknown (not a git checkout), {sys.platform}"
