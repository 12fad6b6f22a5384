"""The report's section of Table 1."""

from dfv.evaluation.report import html as page
from dfv.evaluation.report.formatting import CODE_NAMES, NONE, PROBE_NAMES, Results, percent, with_error
from dfv.evaluation.report.published import TABLE_1


def table1(results: Results) -> str:
    table = results["table1"]
    headings = ["code", "train", "test", "chance", "leak, points", *PROBE_NAMES.values(), "counted"]
    rows = [[CODE_NAMES[name], *_reading_cells(reading)] for name, reading in table["codes"].items()]
    train, test = (sum(errors.values()) / len(errors) for errors in results["image_classifier"].values())
    rows.append(["images, classifier", percent(train), percent(test, 2), *[NONE] * 6])
    whole = page.table(headings, rows, _published(results["run"]["dataset"]))
    alike = _alike_tables(table)
    tables = [whole, *alike, *_label_tables(table), *_part_tables(table)]
    return page.section("Table 1: who is it?", _explained(table, among_alike=bool(alike)), *tables)


def _explained(table: Results, among_alike: bool) -> str:
    text = (
        f"Error in % of fresh probes that predict {table['predicts']}, ± spread over seeds. The probe that read most on"
        " validation data counts. Chance is its error after training on permuted labels; the leak is chance minus"
        " error, ± standard error. One within two standard errors of zero counts as zero; an error above chance is"
        " dependence too. Of each probe: error (leak)."
    )
    if among_alike:
        text += (
            " The second table has labels permuted among images of equal known factors: where each identity shows each"
            " of them about once, a code that tells them and nothing else errs more than labels permuted image by"
            " image, so that the leak in the first table is too low."
        )
    return text


def _reading_cells(reading: Results) -> list[str]:
    counted, by_name = reading["strongest"], [reading["probes"][name] for name in PROBE_NAMES]
    return [
        percent(counted["train"]),
        f"{percent(counted['test'], 2)} ± {percent(counted['spread'], 2)}",
        percent(counted["chance"]),
        with_error(counted["leak"]),
        *(f"{percent(probe['test'])} ({percent(probe['leak']['mean'])})" for probe in by_name),
        PROBE_NAMES[counted["kind"].split()[0]],
    ]


def _published(dataset: str) -> list[list[str]]:
    if dataset not in TABLE_1:
        return []
    paper = TABLE_1[dataset]
    return [
        [f"paper, {code}", f"{paper[code].train}", f"{paper[code].test}", f"{paper['chance'].test}", *[NONE] * 5]
        for code in ("z", "s")
    ]


def _alike_tables(table: Results) -> list[str]:
    rows = [
        [CODE_NAMES[code], percent(counted["alike_chance"]), with_error(counted["alike_leak"])]
        for code, counted in ((code, reading["strongest"]) for code, reading in table["codes"].items())
        if counted["alike_leak"]
    ]
    return [page.table(["permuted among equal known factors", "chance", "leak, points"], rows)] if rows else []


def _label_tables(table: Results) -> list[str]:
    readings = table["codes"]
    rows = [
        [name, *(_test_and_leak(reading["labels"][name]) for reading in readings.values())]
        for name in readings["s"]["labels"]
    ]
    headings = ["each label by itself, test (leak)", *(CODE_NAMES[code] for code in readings)]
    return [page.table(headings, rows)] if rows else []


def _test_and_leak(reading: Results) -> str:
    return f"{percent(reading['test'])} ({with_error(reading['leak'])})"


def _part_tables(table: Results) -> list[str]:
    readings = table["codes"]
    return [
        page.table(
            [f"{name.replace('_', ' ')} alone", "test", "chance", "leak, points"],
            [
                [CODE_NAMES[code], percent(part["test"], 2), percent(part["chance"]), with_error(part["leak"])]
                for code, part in ((code, reading["parts"][name]) for code, reading in readings.items())
            ],
        )
        for name in readings["s"]["parts"]
    ]
