"""Writes docs/options.md, a page with all options: python -m dfv.config.options_page."""

import dataclasses
from pathlib import Path
from typing import Any

from dfv.config.command_line import CONFIG_GROUPS
from dfv.config.fields import describe_range
from dfv.config.flag_files import flag_text

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
INTRODUCTION = """# Options

Every option of a run is a flag of `python -m dfv.main` and a keyword argument of `dfv.Config.of`. This page is
generated from the declarations in `dfv/config` by `python -m dfv.config.options_page`.

The role of an option says whether its value may change later:

| role | when a run is resumed or evaluated |
|---|---|
| changes run | must keep its value |
| repetition | must keep its value; another value is a repetition of the experiment with another seed or split |
| length, output | may change when training is resumed |
| data location, presentation | may always change; omitted from model cards |
"""


def options_page() -> str:
    """Returns the page as Markdown."""
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
