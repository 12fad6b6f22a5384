"""Interleaved timings, their medians and spread, and what they were taken on."""

import datetime
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import NamedTuple

from dfv.provenance import commit, cpu_name


class Seconds(NamedTuple):
    """What a call took in one round: by the clock, and of all cores together."""

    wall: float
    cpu: float


Timings = dict[str, list[Seconds]]


def interleaved(cases: Mapping[str, Callable[[], object]], rounds: int, calls: int) -> Timings:
    """Seconds a call: in every round each case in turn is called once untimed, then `calls` times."""
    timings: Timings = {name: [] for name in cases}
    for _ in range(rounds):
        for name, call in cases.items():
            # The untimed call brings back the caches, and lets the other framework's threads go to sleep.
            call()
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(calls):
                call()
            timings[name].append(Seconds((time.perf_counter() - wall) / calls, (time.process_time() - cpu) / calls))
    return timings


def median(timings: list[Seconds]) -> Seconds:
    """The median round's, by each clock."""
    return Seconds(*(statistics.median(column) for column in zip(*timings, strict=True)))


def ratios(timings: list[Seconds], base: list[Seconds]) -> list[float]:
    """By the clock, each round against the same round of `base`: what else the machine does slows both."""
    return [one.wall / other.wall for one, other in zip(timings, base, strict=True)]


def spread(values: list[float], digits: int = 1) -> str:
    """The middle half of the values, as text."""
    if len(values) < 2:
        return "one round"
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{low:,.{digits}f} to {high:,.{digits}f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def circumstances(packages: list[str]) -> str:
    """Date, commit, machine and versions in one line."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    return (
        f"{datetime.date.today()}, commit {commit() or 'unknown'}, {cpu_name()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {versions}"
    )
