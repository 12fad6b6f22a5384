"""The parts of a self-contained HTML page: style, tables, pictures. No scripts, nothing from elsewhere."""

import base64
from collections.abc import Iterable
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1c1f24; --soft: #626975; --line: #dfe2e7; --ground: #fbfbfa; --card: #fff;
  --accent: #1f6f8b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --soft: #9aa2ae; --line: #343941; --ground: #15171a;
  --card: #1d2024; --accent: #6fc3df; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 48px 28px 80px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 21px; margin: 52px 0 8px; letter-spacing: -0.005em; }
p { max-width: 52em; margin: 8px 0 16px; color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 12px; margin: 28px 0 8px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; }
.card b { display: block; font-size: 25px; font-weight: 600; line-height: 1.25; color: var(--accent); }
.card span { font-size: 14px; color: var(--soft); }
.wide { overflow-x: auto; margin: 12px 0 20px; }
table { border-collapse: collapse; font-size: 14.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 11px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--soft); vertical-align: bottom; white-space: normal; max-width: 9em; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tr.published td { color: var(--soft); font-style: italic; }
figure { margin: 20px 0 36px; }
figure div { overflow-x: auto; }
img { display: block; max-width: 100%; border-radius: 4px; background: #fff; padding: 6px; }
figcaption { margin-top: 8px; font-size: 14.5px; color: var(--soft); max-width: 52em; }
details { margin-top: 12px; } summary { cursor: pointer; color: var(--accent); }
code { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; white-space: pre-wrap; }
"""

Rows = Iterable[list[str]]


def table(headings: list[str], rows: Rows, published: Rows = ()) -> str:
    """A table; the published rows, others' figures, stand last and in italics."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    body += "".join(f'<tr class="published">{_cells(row)}</tr>' for row in published)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(row: list[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)


def cards(values: dict[str, str]) -> str:
    """Figures to see first: what each is -> its value."""
    inside = (f"<b>{escape(value)}</b><span>{escape(name)}</span>" for name, value in values.items())
    boxes = "".join(f'<div class="card">{box}</div>' for box in inside)
    return f'<div class="cards">{boxes}</div>'


def picture(png: bytes, caption: str) -> str:
    """A PNG inside the page, with its caption, which is its alternative text too."""
    data = base64.b64encode(png).decode()
    return (
        f'<figure><div><img src="data:image/png;base64,{data}" alt="{escape(caption)}"></div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def section(title: str, text: str, *parts: str) -> str:
    return f"<h2>{escape(title)}</h2><p>{escape(text)}</p>{''.join(parts)}"


def folded(title: str, text: str) -> str:
    """Text that is shown when it is asked for."""
    return f"<details><summary>{escape(title)}</summary><code>{escape(text)}</code></details>"


def page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )
