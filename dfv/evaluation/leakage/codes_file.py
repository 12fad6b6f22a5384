"""The .npz file that the program reads."""

import logging
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dfv.data.dataset import SPLITS, DataError
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.leakage.checks import check
from dfv.evaluation.leakage.division import divide
from dfv.evaluation.leakage.labelled_codes import LabelledCodes

LOGGER = logging.getLogger(__name__)

# RuntimeError: encrypted, or compressed in a way that Python does not know.
DAMAGED = (ValueError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError)
REQUIRED, FACTOR = ("codes", "labels"), "factor_"
EXPECTED = (
    "expected train_codes, train_labels, the same of validation_ and test_, and optionally groups and factor_NAME of"
    " each split; or codes, labels and optionally factor_NAME without splits"
)


def read(path: Path) -> BySplit[LabelledCodes]:
    """Returns the codes of every split, checked; raises DataError for other files.

    Arrays without splits are divided; see `divide`.
    """
    arrays = _load(path)
    whole = set(REQUIRED) <= arrays.keys()
    prefixes = [""] if whole else [f"{split}_" for split in SPLITS]
    missing = [prefix + name for prefix in prefixes for name in REQUIRED if prefix + name not in arrays]
    known = {name for prefix in prefixes for name in arrays if _is_known(name, prefix)}
    # A name with the prefix of a split is taken for a spelling mistake.
    misspelt = [name for name in arrays.keys() - known if name.startswith((*prefixes,)) and not whole]
    if missing or misspelt:
        got = f"{', '.join(arrays)}" if arrays else "no arrays"
        wrong = f"lacks {', '.join(missing)}" if missing else f"has unknown arrays {', '.join(sorted(misspelt))}"
        raise DataError(f"{path} {wrong}: {EXPECTED}; got {got}.")
    if ignored := sorted(arrays.keys() - known):
        LOGGER.warning("Ignored these arrays of %s: %s", path, ", ".join(ignored))
    parts = [_labelled_codes(arrays, prefix) for prefix in prefixes]
    splits = divide(parts[0]) if whole else BySplit(*parts)
    check(splits)
    return splits


def _load(path: Path) -> Mapping[str, np.ndarray]:
    try:
        with path.open("rb") as file:
            arrays = np.load(file, allow_pickle=False)
            if isinstance(arrays, np.ndarray):
                raise DataError(f"{path} has one array without a name: {EXPECTED}. Write it with numpy.savez.")
            return dict(arrays)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}). Give a .npz file.") from error
    except DAMAGED as error:
        raise DataError(
            f"{path} cannot be read as .npz ({error}). Write it with numpy.savez, from arrays of numbers or strings,"
            " not of Python objects."
        ) from error


def _is_known(name: str, prefix: str) -> bool:
    rest = name.removeprefix(prefix) if name.startswith(prefix) else ""
    return rest in (*REQUIRED, "groups") or (rest.startswith(FACTOR) and len(rest) > len(FACTOR))


def _labelled_codes(arrays: Mapping[str, np.ndarray], prefix: str) -> LabelledCodes:
    start = prefix + FACTOR
    factors = {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}
    return LabelledCodes(arrays[f"{prefix}codes"], arrays[f"{prefix}labels"], arrays.get(f"{prefix}groups"), factors)
