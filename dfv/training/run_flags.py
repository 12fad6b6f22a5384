"""config.flags of a run: all options, so that the run can be repeated from this file."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dfv.config.flag_files import flag_text
from dfv.config.paths import check_path
from dfv.config.renamed import current_names
from dfv.config.schema import FREE_TO_CHANGE, Config, option_fields
from dfv.provenance import commit, version
from dfv.training.errors import RunError
from dfv.training.run_folder import write_whole

FLAGS_FILE = "config.flags"
PACKAGES = ("dfv", "tensorflow", "keras", "numpy", "tensorflow-datasets")


def parse_flag(kind: Any, text: str) -> Any:
    """Returns the value of a field of this type from the text that `flag_text` wrote."""
    if kind is bool:
        return {"true": True, "false": False}[text]
    return tuple(map(int, filter(None, text.split(",")))) if kind not in (int, float, str) else kind(text)


def write_flags(run_dir: Path, config: Config) -> None:
    """Writes `config.flags`: all options, and in the header the versions and commit."""
    checkout = commit() or "unknown (not a git checkout)"
    header = [
        "# Repeats this run: python -m dfv.main --flagfile=config.flags --run_dir=ANOTHER_FOLDER",
        f"# commit {checkout}, Python {platform.python_version()}, {platform.machine()}",
        "# " + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    ]
    for _, field in option_fields():
        if field.metadata["is_path"]:
            check_path(field.name, config.as_flags()[field.name])
    lines = [f"--{name}={flag_text(value)}" for name, value in config.as_flags().items()]
    write_whole(run_dir / FLAGS_FILE, "\n".join([*header, *lines, ""]).encode())


def read_flags(run_dir: Path) -> Config:
    """Returns the config of a run folder; raises RunError if the file is missing or invalid."""
    path = run_dir / FLAGS_FILE
    kinds = {field.name: field.type for _, field in option_fields()}
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("--")]
        named = current_names(dict(line[2:].split("=", 1) for line in lines))
        return Config.of(**{name: parse_flag(kinds[name], text) for name, text in named.items()})
    except FileNotFoundError as error:
        raise RunError(f"{run_dir} is not a run folder: it has no {FLAGS_FILE}.") from error
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{path} cannot be read as a run's flags ({error}); restore it or start a new run.") from error


def changed_flags(trained: Config, now: Mapping[str, Any]) -> list[str]:
    """Returns which of these options of a run, by flag name, differ and must not change."""
    before = trained.as_flags()
    return [name for name, value in now.items() if before[name] != value and name not in FREE_TO_CHANGE]


def check_same_run(run_dir: Path, config: Config) -> None:
    """Raises RunError, which names the flags, if `config` changes options of the run that must not change."""
    trained, now = read_flags(run_dir), config.as_flags()
    if changed := changed_flags(trained, now):
        before = trained.as_flags()
        listed = "; ".join(f"--{name} was {flag_text(before[name])}, is {flag_text(now[name])}" for name in changed)
        raise RunError(
            f"{run_dir} holds a run with other flags: {listed}. Restore these flags, or give another --run_dir."
        )
