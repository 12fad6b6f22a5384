"""`python -m docs.tables` writes the tables between their markers; `--check` only says which files would change."""

import argparse
import re
import sys
from pathlib import Path

from docs.tables.figures import ROOT
from docs.tables.layouts import TABLES

MARKED = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def documents() -> list[Path]:
    """README.md and the pages of docs/ that have a marked table."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if MARKED.search(page.read_text(encoding="utf-8"))]


def with_tables(text: str) -> str:
    """The text with each marked table replaced by the one that its name stands for."""

    def replaced(match: re.Match[str]) -> str:
        begin, name, end = match.groups()
        if name not in TABLES:
            raise SystemExit(f"no table is named {name!r}; expected one of {', '.join(TABLES)}")
        return f"{begin}{TABLES[name]()}\n{end}"

    return MARKED.sub(replaced, text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="Write nothing; exit status 1 if a table is not current.")
    check = parser.parse_args().check
    stale = []
    for page in documents():
        text = page.read_text(encoding="utf-8")
        current = with_tables(text)
        if current != text:
            stale.append(page.relative_to(ROOT))
            if not check:
                page.write_text(current, encoding="utf-8")
    for path in stale:
        print(f"{path}: {'differs from its figures; run `python -m docs.tables`' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
