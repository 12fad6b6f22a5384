"""Run files: one flag per line, `#` comments; `--flagfile=` includes another file."""

import os
from pathlib import Path
from typing import Any

from dfv.config.paths import expand_home
from dfv.config.renamed import current_arguments
from dfv.config.schema import ConfigError

PREFIX = "--flagfile="
LARGEST_FILE = 1 << 20
# A wheel has the files inside the package; a checkout and an editable install have them next to it.
SHIPPED = (Path(__file__).parents[1] / "configs", Path(__file__).parents[2] / "configs")


def flag_text(value: Any) -> str:
    """Returns a value as it is written after `--name=`; tuples and lists are separated by commas."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def expand(arguments: list[str]) -> tuple[list[str], str | None]:
    """Returns the arguments with run files replaced by their flags, and the first run file's name without suffix.

    Earlier names of options become the current ones, with a warning.
    Raises ConfigError for a file that is missing, is not text, or includes itself.
    """
    expanded: list[str] = []
    first = None
    remaining = list(arguments)
    while remaining:
        argument = remaining.pop(0)
        if argument in ("--flagfile", "-flagfile"):
            argument = PREFIX + (remaining.pop(0) if remaining else "")
        if not argument.startswith((PREFIX, PREFIX[1:])):
            expanded.append(argument)
            continue
        name = argument.split("=", 1)[1]
        path = find(name, None)
        first = first or path.stem
        expanded += _flags_of(path, ())
    return current_arguments(expanded), first


def find(name: str, including: Path | None) -> Path:
    """Returns the path of a run file.

    The name is looked up relative to the working directory, then to the folder of the including file, then, for NAME
    and configs/NAME, among the run files of the package. Raises ConfigError if there is none.
    """
    given = expand_home("flagfile", name)
    next_to_it = [including.parent / given] if including else []
    shipped_as = [folder / given.name for folder in SHIPPED if given.parent in (Path(), Path("configs"))]
    for path in [given, *next_to_it, *shipped_as]:
        if os.path.isfile(path):  # Path.is_file raises for some paths that cannot be read
            return path
    shipped = sorted({path.name for folder in SHIPPED for path in folder.glob("*.flags")})
    where = f" (included by {including})" if including else ""
    raise ConfigError(f"--flagfile={name!r}{where} is not a file. The package has: {', '.join(shipped)}.")


def _flags_of(path: Path, includers: tuple[Path, ...]) -> list[str]:
    if path.resolve() in includers:
        raise ConfigError(f"{path} includes itself; remove that --flagfile line.")
    found: list[str] = []
    for number, line in enumerate(_lines(path), start=1):
        line = line.strip()
        if not line or line.startswith(("#", "//")):
            continue
        if line.startswith(PREFIX):
            found += _flags_of(find(line[len(PREFIX) :].strip(), path), (*includers, path.resolve()))
        elif line.startswith("--") and len(line) > 2:
            found.append(line)
        else:
            raise ConfigError(f"{path}, line {number}: expected --name=value or a # comment; got {line[:80]!r}.")
    return found


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"{path} is larger than 1 MiB, the limit of a run file.")
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text: {error}.") from error
