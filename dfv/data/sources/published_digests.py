"""Compares the digests of a data set's files with those of the published files."""

from pathlib import Path

from absl import logging


def warn_if_changed(found: dict[str, str], table: Path) -> None:
    """Logs a warning that lists the names whose digest differs from that in the table.

    found: name -> digest of the decoded content. table: a text file with one name and its digest per line.
    This is not an error, since the files may have been changed on purpose.
    """
    published = dict(line.split() for line in table.read_text().splitlines())
    changed = [name for name, digest in found.items() if digest != published.get(name)]
    if changed:
        logging.warning(
            "%s: %d of %d differ from the published files: %s%s. If not intended, unpack the published archive again.",
            table.parent.name,
            len(changed),
            len(found),
            ", ".join(changed[:10]),
            ", ..." if len(changed) > 10 else "",
        )
