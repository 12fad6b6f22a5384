"""Reads a list of images with their labels: CSV, tab-separated values or JSON Lines."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from absl import logging

from dfv.data.dataset import DataError, check_measure

ATTRIBUTE, FACTOR = "attribute_", "factor_"
_REQUIRED = ("path", "identity")
_MAX_LISTED = 20
_EXPECTED = """Expected a line for each image, with its path and its identity:
  .csv or .tsv, with a header:  path,identity
                                photos/1.jpg,anna
  .jsonl:                       {"path": "photos/1.jpg", "identity": "anna"}
Columns attribute_NAME and factor_NAME are optional."""

Row = dict[str, str]


@dataclass(frozen=True)
class ImageList:
    """Paths and identities [N], and attributes and factors as those of `ImageSet`, in the order of the file."""

    paths: list[str]
    identities: list[str]
    attributes: dict[str, np.ndarray]
    factors: dict[str, np.ndarray]


def read_list(path: Path) -> ImageList:
    """Returns the content of a list; its suffix says the format. Raises DataError, which names the lines."""
    readers: dict[str, Callable[[TextIO], Iterator[tuple[int, Row]]]] = {
        ".csv": lambda file: _read_table(file, ","),
        ".tsv": lambda file: _read_table(file, "\t"),
        ".jsonl": _read_json_lines,
    }
    if path.suffix.lower() not in readers:
        raise _error(path, f"has the suffix {path.suffix!r}, not one of {', '.join(readers)}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            numbered = list(readers[path.suffix.lower()](file))
    except UnicodeDecodeError as error:
        raise _error(path, f"is not UTF-8 text ({error}); save it as UTF-8, in a spreadsheet as 'CSV UTF-8'") from error
    except (OSError, csv.Error, _InvalidLine) as error:
        raise _error(path, f"cannot be read ({error})") from error
    lines, rows = [number for number, _ in numbered], [row for _, row in numbered]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if missing := [name for name in _REQUIRED if name not in columns]:
        raise _error(path, f"has no {' and no '.join(missing)}, but {', '.join(columns) or 'no images'}")
    used = [name for name in columns if name in _REQUIRED or name.startswith((ATTRIBUTE, FACTOR))]
    for name in used:
        if empty := [number for number, row in zip(lines, rows, strict=True) if not row.get(name)]:
            raise _error(path, f"has no {name} in {_listed(empty)}")
    _check(path, lines, rows)
    if ignored := [name for name in columns if name not in used]:
        logging.info("%s: ignored %s.", path, ", ".join(ignored))
    column = {name: [row[name] for row in rows] for name in used}
    attributes = {name.removeprefix(ATTRIBUTE): _classes(column[name]) for name in used if name.startswith(ATTRIBUTE)}
    factors = {name.removeprefix(FACTOR): _factor(path, name, column[name]) for name in used if name.startswith(FACTOR)}
    return ImageList(column["path"], column["identity"], attributes, factors)


class _InvalidLine(ValueError):
    pass


def _read_table(file: TextIO, delimiter: str) -> Iterator[tuple[int, Row]]:
    reader = csv.DictReader(file, delimiter=delimiter, strict=True)
    names = [name.strip() for name in reader.fieldnames or ()]
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise _InvalidLine(f"the header has {', '.join(twice)} twice")
    for row in reader:
        if None in row or None in row.values():
            raise _InvalidLine(f"line {reader.line_num} has another number of values than the header")
        if any(row.values()):  # spreadsheets write commas alone for rows that were cleared
            yield reader.line_num, dict(zip(names, map(str.strip, row.values()), strict=True))


def _read_json_lines(file: TextIO) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _InvalidLine(f"line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise _InvalidLine(f"line {number} is not an object")
        if nested := [name for name, value in row.items() if isinstance(value, (dict, list))]:
            raise _InvalidLine(f"line {number}: {nested[0]} is not a text or a number")
        yield number, {name: "" if value is None else str(value) for name, value in row.items()}


def _check(path: Path, lines: Sequence[int], rows: Sequence[Row]) -> None:
    """Raises DataError for fewer than two identities, repeated paths, and attributes that vary within an identity."""
    identities = {row["identity"] for row in rows}
    if len(identities) < 2:
        raise _error(path, f"has images of one identity only, {next(iter(identities))!r}")
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    for number, row in zip(lines, rows, strict=True):
        first = seen.setdefault(("path", row["path"]), ("", number))[1]
        if first != number:
            raise _error(path, f"has {row['path']} twice, in lines {first} and {number}")
        for name in (name for name in row if name.startswith(ATTRIBUTE)):
            value, first = seen.setdefault((name, row["identity"]), (row[name], number))
            if value != row[name]:
                raise DataError(
                    f"{path}: {name} of identity {row['identity']} is {value} in line {first} and {row[name]} in line"
                    f" {number}; an attribute is constant within an identity. Name the column"
                    f" {FACTOR}{name.removeprefix(ATTRIBUTE)}."
                )


def _classes(values: Sequence[str]) -> np.ndarray:
    return np.unique(np.array(values), return_inverse=True)[1].astype(np.int32)


def _factor(path: Path, name: str, values: Sequence[str]) -> np.ndarray:
    """Returns float32 if the values are numbers of which some are no integers; otherwise int32 classes, in order."""
    try:
        measures = np.array([float(value) for value in values], np.float32)
    except ValueError:
        return _classes(values)
    check_measure(f"{path}, {name}", measures)
    try:
        integers = np.array([int(value) for value in values])
    except ValueError:
        return measures
    return np.unique(integers, return_inverse=True)[1].astype(np.int32)


def _listed(lines: Sequence[int]) -> str:
    more = f", ... ({len(lines)} in all)" if len(lines) > _MAX_LISTED else ""
    return f"line{'s' if lines[1:] else ''} {', '.join(map(str, lines[:_MAX_LISTED]))}{more}"


def _error(path: Path, what: str) -> DataError:
    return DataError(f"{path} {what}. {_EXPECTED}")
