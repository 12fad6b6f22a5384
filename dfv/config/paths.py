"""Paths given on a command line or in a config."""

from pathlib import Path

from dfv.config.fields import ConfigError


def expand_home(flag: str, path: str | Path) -> Path:
    """Returns the path with ~ replaced by the home directory; raises ConfigError if that is unknown."""
    try:
        return Path(path).expanduser()
    except (RuntimeError, ValueError) as error:
        raise ConfigError(
            f"--{flag}={path}: expected a home directory for ~, but it is unknown; give an absolute path, or start with"
            " ./ if ~ is part of the name."
        ) from error


def given_path(flag: str, path: str) -> str:
    """Returns a path from a command line with ~ replaced; URLs such as gs://bucket/folder are returned unchanged.

    Raises ConfigError for a path that check_path refuses.
    """
    check_path(flag, path)
    return path if not path or "://" in path else str(expand_home(flag, path))


def absolute_path(path: str) -> str:
    """Returns the absolute path, without resolving symbolic links; URLs are returned unchanged."""
    return path if not path or "://" in path else str(Path(path).absolute())


def check_path(flag: str, path: str) -> None:
    """Raises ConfigError for a path that cannot be written on a line of a run file."""
    try:
        is_text = bool(path.encode("utf-8")) or not path
    except UnicodeEncodeError:
        is_text = False
    if not is_text or "\0" in path or path.strip() != path or path.splitlines() != [path][: bool(path)]:
        raise ConfigError(
            f"--{flag} expects a UTF-8 path without line breaks and without leading or trailing spaces, so that it"
            f" can be written to a run file; got {path!r}. Rename the folder, or give a symbolic link to it."
        )
