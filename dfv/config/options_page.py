"""The page docs/options.md, every option with its default, range and role: python -m dfv.config.options_page."""

import dataclasses
from pathlib import Path
from typing import Any

from dfv.config.command_line import CONFIG_GROUPS
from dfv.config.fields import describe_range
from dfv.config.flag_files import flag_text

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
INTRODUCTION = """# Options

Every option of a run is a flag of `python -m dfv.main` and a keyword of `dfv.Config.of`. This page is written from the
options' declarations in `dfv/config` by `python -m dfv.config.options_page`.

What may change depends on an option's role:

| role | when a run is continued or evaluated |
|---|---|
| changes run, repetition | must be as before; a repetition is the same experiment with another seed or split |
| length, output | may change when training is continued |
| data location, presentation | may always change; not part of a model card |
"""


def options_page() -> str:
    """Returns the page in Markdown."""
    parts = [INTRODUCTION]
    for heading, group in CONFIG_GROUPS.items():
        parts += [f"## {heading}\n", group.__doc__ or "", "", "| option | default | range | role | meaning |"]
        parts += ["|---|---|---|---|---|", *map(_row, dataclasses.fields(group)), ""]  # type: ignore[arg-type]
    return "\n".join(parts)


def _row(field: dataclasses.Field[Any]) -> str:
    default, role = flag_text(field.default), field.metadata["role"].name.lower().replace("_", " ")
    cells = [f"`{field.name}`", f"`{default}`" if default else "", describe_range(field), role, field.metadata["help"]]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(options_page(), encoding="utf-8")
