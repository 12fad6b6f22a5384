"""Sphinx: README.md and the other Markdown files as they are, and an API reference from docstrings.

`python -m docs.site` builds the site.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

project, author, copyright = "dfv", "The dfv authors", "The dfv authors"
html_title, html_theme, html_show_copyright = "dfv", "alabaster", False
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "dfv/pretrained/*/README.md", "dfv/data/sources/*/README.md"]
exclude_patterns = ["docs/tables"]
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
suppress_warnings = ["ref.python"]  # a name that two modules have, in an annotation


def write_api_pages() -> None:
    """A page for each package in docs/api/, with the modules in it."""
    pages = ROOT / "docs" / "api"
    pages.mkdir(exist_ok=True)
    packages = [path.parent for top in ("dfv", "export") for path in sorted((ROOT / top).rglob("__init__.py"))]
    names = [".".join(package.relative_to(ROOT).parts) for package in packages]
    for package, name in zip(packages, names, strict=True):
        modules = [f"{name}.{path.stem}" for path in sorted(package.glob("*.py")) if path.stem.strip("_") == path.stem]
        lines = [name, "=" * len(name), "", f".. automodule:: {name}", ""]
        for module in modules:
            lines += [module, "-" * len(module), "", f".. automodule:: {module}", "   :members:", ""]
        write(pages / f"{name}.rst", "\n".join(lines))
    write(pages / "index.rst", "\n   ".join(["API reference\n=============\n\n.. toctree::", ":maxdepth: 1\n", *names]))


def write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def plain_docstring(app, what, name, obj, options, lines: list[str]) -> None:
    """Docstrings are plain text with code in backticks: everything else that reStructuredText would read is escaped."""
    text = "\n".join(line.strip() for line in lines)
    parts = re.split(r"`+([^`]*)`+", text)
    parts[::2] = [re.sub(r"([*|_\\])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"``{part.strip()}``" for part in parts[1::2]]

    lines[:] = [*"".join(parts).split("\n"), ""]


def setup(app) -> None:
    app.connect("autodoc-process-docstring", plain_docstring)


write_api_pages()
