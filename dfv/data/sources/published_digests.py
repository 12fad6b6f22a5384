"""Compares the digests of a set's files with those of the published files."""

from pathlib import Path

from absl import logging


def warn_if_changed(found: dict[str, str], table: Path) -> None:
    """Logs which of the found names have another digest than the table, lines of name and digest, gives them.

    A warning and no error: the digests are of decoded content, and a set may have been changed on purpose.
    """
    published = dict(line.split() for line in table.read_text().splitlines())
    changed = [name for name, digest in found.items() if digest != published.get(name)]
    if changed:
        logging.warning(
            "%s: %d of %d differ from the published: %s%s. Unpack the published archive again if that is unwanted.",
            table.parent.name,
            len(changed),
            len(found),
            ", ".join(changed[:10]),
            ", ..." if len(changed) > 10 else "",
        )
