"""Documents: sizes, links, paths, language; tables that match their figures."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from docs.tables.__main__ import documents, with_tables

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "dfv").rglob("README.md")),
]
PROGRAMS = (
    "dfv.main",
    "dfv.apply",
    "dfv.evaluation.compare",
    "dfv.evaluation.leakage",
    "export",
    "export.demo",
    "docs.tables",
)
# Words that earlier texts used in a meaning of their own, where the field has a usual one.
PRIVATE_WORDS = re.compile(
    r"\b(donors?|judges?|judged|alike|anew|errs|told by|third player|independence terms?|in use|as trained|of late"
    r"|as far as|beside|ours)\b",
    re.IGNORECASE,
)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "limit"), [("README.md", 9_000), ("WORKSPACE.md", 14_000)])
def test_page_is_short(page, limit):
    assert len((ROOT / page).read_bytes()) <= limit


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_resolve(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = unquote(target).partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_method_map_names_existing_files():
    section = text(ROOT / "WORKSPACE.md").split("## From the method to the code")[1].split("\n## ")[0]
    paths = re.findall(r"`([a-z_/0-9]+(?:\.py|/))`", section)
    assert len(paths) >= 20
    missing = [
        path for path in paths if not any((base / path).exists() for base in (ROOT / "dfv", ROOT, ROOT / "export"))
    ]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_page_uses_the_terms_of_the_field(page):
    prose = re.sub(r"`[^`]*`|^    .*$", "", text(page), flags=re.MULTILINE)
    assert not PRIVATE_WORDS.findall(prose)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.flags")), ids=name)
def test_run_file_uses_the_terms_of_the_field(path):
    assert not PRIVATE_WORDS.findall(text(path))


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_uses_the_terms_of_the_field(program):
    shown = subprocess.run(
        [sys.executable, "-m", program, "--help"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert len(shown.stdout) > 100, shown.stderr
    assert not PRIVATE_WORDS.findall(shown.stdout)


@pytest.mark.parametrize("page", documents(), ids=name)
def test_tables_match_their_figures(page):
    assert with_tables(text(page)) == text(page), "run `python -m docs.tables`"


def test_test_modules_have_different_names():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert [each for each in names if names.count(each) > 1] == []  # pytest imports them by their names alone
