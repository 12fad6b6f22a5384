"""What is checked about codes and labels before probes are trained on them."""

from collections.abc import Iterable, Iterator

import numpy as np

from dfv.data.dataset import SPLITS, DataError
from dfv.evaluation.evaluation_splits import MIN_TEST_IMAGES, BySplit
from dfv.evaluation.leakage.labelled_codes import LabelledCodes

MIN_CODES_PER_LABEL = 2  # in `train`: a nearest-neighbour probe does not use a code's own label
CLASSES = ("integers or strings", "iuUSb")
CLASSES_OR_MEASURES = ("integers, strings or floats", "iuUSbf")
NUM_NAMED = 3  # values that a message names


def check(splits: BySplit[LabelledCodes]) -> None:
    """Raises DataError for codes that cannot be tested, with all faults of arrays or, if there are none, of labels."""
    raise_faults(
        fault for name, part in zip(SPLITS, splits, strict=True) for fault in faults_of_arrays(part, f"{name} ")
    )
    raise_faults(_differences(splits))
    raise_faults(_faults_of_labels(splits))


def raise_faults(faults: Iterable[str]) -> None:
    """Raises DataError if there are faults."""
    listed = list(faults)
    if listed:
        raise DataError("\n  ".join(["these codes cannot be tested:", *listed]))


def faults_of_arrays(part: LabelledCodes, split: str = "") -> Iterator[str]:
    """Wrong shapes, types and numbers; split: prefix of the arrays' names."""
    codes = part.codes
    if codes.ndim != 2 or codes.dtype.kind not in "fiu" or not codes.size:
        reshape = " Flatten each code: codes.reshape(len(codes), -1)." if codes.ndim > 2 else ""
        yield f"{split}codes: expected [N, D] floats, got {codes.shape} {codes.dtype}.{reshape}"
        return
    invalid = np.flatnonzero(~(np.abs(codes) <= np.finfo(np.float32).max).all(1))
    if invalid.size:
        yield (
            f"{split}codes: expected finite numbers within the range of float32; {invalid.size} rows have others, first"
            f" row {invalid[0]}. Leave these images out, in labels too."
        )
    yield from _faults_of_column(f"{split}labels", part.labels, len(codes), CLASSES, most_axes=2)
    if part.groups is not None:
        yield from _faults_of_column(f"{split}groups", part.groups, len(codes), CLASSES)
    for name, values in part.factors.items():
        yield from _faults_of_column(f"{split}factor {name}", values, len(codes), CLASSES_OR_MEASURES)


def _faults_of_column(
    name: str, values: np.ndarray, number: int, types: tuple[str, str], most_axes: int = 1
) -> Iterator[str]:
    words, kinds = types
    if not 1 <= values.ndim <= most_axes or len(values) != number or not values.size or values.dtype.kind not in kinds:
        shapes = " or ".join([f"[{number}]", f"[{number}, L]"][:most_axes])
        yield f"{name}: expected {shapes} {words}, as many as codes; got {values.shape} {values.dtype}."
    elif values.dtype.kind == "f" and not np.isfinite(values).all():
        yield f"{name}: expected finite numbers. Leave images without one out, or pass the factor as classes."


def _differences(splits: BySplit[LabelledCodes]) -> Iterator[str]:
    for name, part in (("validation", splits.validation), ("test", splits.test)):
        for got, expected in zip(_contents(part), _contents(splits.train), strict=True):
            if got != expected:
                yield f"{name} has {got}, train has {expected}; expected the same in every split."


def _contents(part: LabelledCodes) -> tuple[str, ...]:
    factors = ", ".join(f"{name} ({_kind(values)})" for name, values in sorted(part.factors.items()))
    return (
        f"codes of {part.codes.shape[1]} dimensions",
        f"labels [N, {part.label_columns.shape[1]}] of {_kind(part.labels)}",
        "no groups" if part.groups is None else f"groups of {_kind(part.groups)}",
        f"factors {factors}" if factors else "no factors",
    )


def _kind(values: np.ndarray) -> str:
    return {"U": "strings", "S": "bytes", "f": "floats"}.get(values.dtype.kind, "integers")


def _faults_of_labels(splits: BySplit[LabelledCodes]) -> Iterator[str]:
    if len(splits.test) < MIN_TEST_IMAGES:
        yield f"expected at least {MIN_TEST_IMAGES} test codes, got {len(splits.test)}. Give more."
    columns = [part.label_columns.T for part in splits]
    for number, of_splits in enumerate(zip(*columns, strict=True)):
        label = f"label in column {number}" if len(columns[0]) > 1 else "label"
        yield from _faults_of_label(label, BySplit(*of_splits))
    groups = [part.groups for part in splits if part.groups is not None]
    if groups:
        yield from _shared_groups(groups)


def _faults_of_label(label: str, columns: BySplit[np.ndarray]) -> Iterator[str]:
    names, counts = np.unique(columns.train, return_counts=True)
    few = names[counts < MIN_CODES_PER_LABEL]
    if few.size:
        yield (
            f"expected at least {MIN_CODES_PER_LABEL} train codes of each {label}; {_named(few)} occurs once. Give more"
            " images, or leave it out of every split."
        )
    for name, column in (("train", columns.train), ("test", columns.test)):
        if len(np.unique(column)) < 2:
            yield f"expected several values of the {label}; all {name} codes have {column[0]}. Give images of others."
    for name, column in (("validation", columns.validation), ("test", columns.test)):
        unknown = np.setdiff1d(column, names)
        if unknown.size:
            yield (
                f"{name} has values of the {label} that train lacks, and no probe can predict them: {_named(unknown)}."
                " Add such images to train or, if these are identities that the model must not be trained on, divide"
                " their images among the splits, or give attributes as labels and identities as groups."
            )


def _shared_groups(groups: list[np.ndarray]) -> Iterator[str]:
    for first, second in ((0, 1), (0, 2), (1, 2)):
        shared = np.intersect1d(groups[first], groups[second])
        if shared.size:
            yield (
                f"expected each group in one split; {SPLITS[first]} and {SPLITS[second]} share {_named(shared)}. Move"
                " each group to one split or, if images of a group are independent, leave groups out."
            )


def _named(values: np.ndarray) -> str:
    more = f" and {values.size - NUM_NAMED} more" if values.size > NUM_NAMED else ""
    return ", ".join(map(str, values[:NUM_NAMED])) + more
