"""docs/experiments/runs.csv: columns, types and ranges of the log of experiments."""

import csv
import re
from datetime import date
from pathlib import Path

import pytest

RUNS = Path(__file__).parents[2] / "docs" / "experiments" / "runs.csv"
SETS = {"mnist", "yaleb", "sprites", "smallnorb", "toy_sprites", "image_folder"}
PERCENTAGES = ("s_error", "swap_shows_s_source", "swap_shows_z_source", "prior_sample_shows_s_source")
POSITIVE = ("mse", "mse_same_identity_swap", "swap_mse", "swap_mse_sampled", "swap_mse_ratio", "kl_nats", "minutes")


def read() -> list[dict[str, str]]:
    with RUNS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(row: dict[str, str], columns) -> list[float]:
    return [float(row[name]) for name in columns if row[name]]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return read()


def test_each_run_has_a_name_of_its_own_and_says_what_it_is(rows):
    names = [row["run"] for row in rows]
    assert len(set(names)) == len(names) >= 250
    assert all(row["what"] and row["set"] in SETS for row in rows)
    assert all(row["split"] in ("training", "validation", "test") for row in rows)


def test_each_row_has_as_many_cells_as_there_are_columns(rows):
    assert [row["run"] for row in rows if None in row or None in row.values()] == []


def test_commits_are_hashes_and_dates_are_dates(rows):
    for row in rows:
        assert date.fromisoformat(row["date"]).year == 2026
        assert re.fullmatch("[0-9a-f]{7,8}", row["logged"])
        assert all(re.fullmatch("([0-9a-f]{7,8})?", row[name]) for name in ("commit", "evaluated"))
        assert re.fullmatch(r"\d+(-\d+)?", row["seed"])


def test_figures_are_numbers_within_their_ranges(rows):
    leakages = [name for name in rows[0] if name.startswith("leak_")]
    assert len(leakages) == 12
    for row in rows:
        assert all(-100 <= value <= 100 for value in numbers(row, leakages)), row["run"]
        assert all(0 <= value <= 100 for value in numbers(row, PERCENTAGES)), row["run"]
        assert all(value > 0 for value in numbers(row, POSITIVE)), row["run"]
        assert all(0 <= value <= 1 for value in numbers(row, ("hsic_p_mean", "hsic_p_sample"))), row["run"]
        has_error = bool(row["mse"] or row["mse_same_identity_swap"] or row["swap_mse"])
        assert (row["pixel_range"] in ("[0,1]", "[-1,1]")) == has_error, row["run"]
