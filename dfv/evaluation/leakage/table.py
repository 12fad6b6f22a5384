"""The results of a leakage test as a Markdown table."""

from dfv.evaluation.leakage.results import LeakageResults
from dfv.evaluation.probes.probe_result import ProbeResult
from dfv.evaluation.report.formatting import markdown_table, number, percent, with_standard_error

HEADINGS = ("predicted by", "training error, %", "test error, %", "permutation baseline, %", "leakage, pp")


def table(results: LeakageResults) -> str:
    """A row for each probe, the strongest last, and for what else was measured; ± is the standard error."""
    found = results.leakage
    rows = [_row(_name(probe), probe) for probe in found.by_family.values()]
    rows.append(_row(f"strongest on validation: {_name(found.strongest)}", found.strongest))
    if found.strongest.matched_leakage:
        baseline = percent(found.strongest.matched_permutation_baseline)
        leakage = with_standard_error(found.strongest.matched_leakage)
        rows.append(["the same, baseline of equal known factors", "", "", baseline, leakage])
    rows += [_row(f"strongest, label {name}", result) for name, result in found.labels.items()]
    if found.bound:
        rows.append(
            [f"any function of the {found.bound.entries} distinct codes", "", percent(found.bound.error), "", ""]
        )
        rows.append(["the same on new codes, 95 % confidence", "", percent(found.bound.expected_error), "", ""])
    for name, factor in results.factors.items():
        errors = percent(factor.error), percent(factor.permutation_baseline)
        rows.append([f"network, factor {name}", "", *errors, with_standard_error(factor.below_baseline)])
    return f"{markdown_table(HEADINGS, rows)}\n{_independence(results)}\n"


def _name(probe: ProbeResult) -> str:
    if probe.num_neighbours is None:
        return probe.family
    scaled = ", standardized" if probe.standardized else ""
    return f"{probe.num_neighbours} nearest neighbour{'s' if probe.num_neighbours > 1 else ''}{scaled}"


def _row(name: str, probe: ProbeResult) -> list[str]:
    errors = (probe.train_error, probe.test_error, probe.permutation_baseline)
    return [name, *map(percent, errors), with_standard_error(probe.leakage)]


def _independence(results: LeakageResults) -> str:
    test, target = results.dependence, "group" if results.num_groups else "label"
    hsic, permuted, p_value = number(test.hsic, 4), number(test.permutation_mean, 4), number(test.p_value, 3)
    return f"HSIC of code and {target}: {hsic}; mean over permutations {permuted}; p = {p_value}"
