"""Each row of the table of leak remedies has what its name says."""

import pytest

from benchmarks.studies.leak_remedies import PARTS, SETS, SMALL, rows
from dfv.config.flag_files import flag_text
from dfv.main import parse_config


@pytest.mark.parametrize("dataset", SETS)
def test_a_row_lacks_the_flags_of_its_part_alone(dataset):
    named = rows(dataset)
    parts = {name: flags[dataset] for name, flags in PARTS.items() if dataset in flags}
    assert parts and set(named) - {f"all but {name}" for name in parts} == {
        "the paper's losses",
        "KL 1",
        "no adversary",
        "all",
        "all, by pairs",
    }
    for name, flags in parts.items():
        left_out = named[f"all but {name}"]
        assert left_out | flags == named["all"] and not set(left_out) & set(flags)


@pytest.mark.parametrize("dataset", SETS)
def test_every_row_is_a_run_that_the_program_takes(dataset):
    for flags in rows(dataset).values():
        given = SETS[dataset] | SMALL | flags
        config = parse_config([f"--{name}={flag_text(value)}" for name, value in given.items()])
        assert {name: flag_text(config.as_flags()[name]) for name in given} == {
            name: flag_text(value) for name, value in given.items()
        }
