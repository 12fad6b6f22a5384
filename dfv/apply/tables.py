"""Tables of codes and of nearest images."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import numpy as np

from dfv.apply.encoding import EncodedFiles


def write_npz(file: BinaryIO, encoded: EncodedFiles) -> None:
    """Writes arrays path [N] str, s [N, s_dim], z_mean and z_log_var [N, z_dim] float32."""
    names = np.array([as_text(name) for name in encoded.files.names])
    np.savez(file, path=names, s=encoded.s, z_mean=encoded.z_mean, z_log_var=encoded.z_log_var)


def write_csv_codes(file: BinaryIO, encoded: EncodedFiles) -> None:
    """Writes columns path, s_0, ..., z_mean_0, ..., z_log_var_0, ..., and a row for each file."""
    codes = {"s": encoded.s, "z_mean": encoded.z_mean, "z_log_var": encoded.z_log_var}
    header = ["path", *(f"{name}_{i}" for name, code in codes.items() for i in range(code.shape[1]))]
    numbers = zip(*codes.values(), strict=True)
    rows = ([name, *np.concatenate(row)] for name, row in zip(encoded.files.names, numbers, strict=True))
    write_csv(file, header, rows)


def write_csv(file: BinaryIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a CSV file in UTF-8, whose rows begin with a file name."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([as_text(str(cell)) for cell in row] for row in rows)
    text.detach()


def as_text(name: str) -> str:
    """Returns a name that can be written as UTF-8: bytes that are no UTF-8 are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")
