"""The folder of a run: exclusive access and atomic writes."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from dfv.training.errors import RunError

IMAGES_FILE = "images.sha256"


@contextlib.contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """Context with exclusive access of this process to the run folder, which is created if missing."""
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
    """Context that converts a failure to write to a run's folder into a RunError that says what to do."""
    import tensorflow as tf

    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:200]
        raise RunError(
            f"{run_dir} cannot be written ({reason}). Files saved before are intact. Free some space or make the folder"
            " writable, then run the same command again."
        ) from error


def make_writable(folder: Path) -> None:
    """Creates a folder, and raises RunError if files cannot be written to it."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "writable", b"")
        (folder / "writable").unlink()


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file atomically."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def check_same_images(run_dir: Path, digest: str) -> None:
    """Raises RunError if the run was trained on other splits than those of this `Splits.digest`."""
    path = run_dir / IMAGES_FILE
    if path.exists() and path.read_bytes().strip() != digest.encode():
        raise RunError(
            f"{run_dir} was trained on other images, or other splits of them, than there are now, so test images may"
            " have been used in training. Restore its data, or train a new model in another --run_dir. If the images"
            f" are the same and only package versions differ, delete {path}."
        )
