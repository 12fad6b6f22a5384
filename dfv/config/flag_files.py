"""Run files: one flag a line, `#` comments, `--flagfile=` includes another. Found from any folder."""

import os
from pathlib import Path

from dfv.config.fields import expand_home
from dfv.config.renamed import current_arguments
from dfv.config.schema import ConfigError

PREFIX = "--flagfile="
LARGEST_FILE = 1 << 20
# In a checkout and an editable install the files lie beside the package, in a wheel inside it.
SHIPPED = (Path(__file__).parents[1] / "configs", Path(__file__).parents[2] / "configs")


def expand(arguments: list[str]) -> tuple[list[str], str | None]:
    """The arguments with the flags of run files in their place, and the name (without suffix) of the first run file.

    Options have their current names: an earlier one is logged.
    Raises ConfigError for a file that is missing, no text, or includes itself.
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
    """The run file of this name: as it stands, beside the including file or, as NAME or configs/NAME, a shipped one."""
    given = expand_home("flagfile", name)
    beside = [including.parent / given] if including else []
    shipped_as = [folder / given.name for folder in SHIPPED if given.parent in (Path(), Path("configs"))]
    for path in [given, *beside, *shipped_as]:
        if os.path.isfile(path):  # Path.is_file raises for some paths that cannot be read
            return path
    shipped = sorted({path.name for folder in SHIPPED for path in folder.glob("*.flags")})
    where = f" (included by {including})" if including else ""
    raise ConfigError(f"--flagfile={name!r}{where} is no file. Shipped with the package: {', '.join(shipped)}.")


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
            raise ConfigError(f"{path} is larger than a run file can be (1 MiB).")
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text: {error}.") from error
