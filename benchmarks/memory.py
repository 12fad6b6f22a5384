"""Memory of this process, by Linux's account, and numbers of weights."""

import ctypes
import gc
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np


def resident_mib() -> float:
    """What is in use: the memory that the C library holds for later is given back first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def reset_peak() -> None:
    """Begins a new peak, from what is in use now."""
    with Path("/proc/self/clear_refs").open("w") as file:
        file.write("5")


def peak_mib() -> float:
    """The most since the last reset."""
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


def num_weights(variables: Iterable[Any]) -> int:
    """Of all these variables."""
    return sum(int(np.prod(variable.shape)) for variable in variables)
