"""The report: every figure is in the row and column that its headings say, and the page needs nothing else."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from dfv.evaluation.metrics.factors import FactorError, FactorErrors
from dfv.evaluation.metrics.swaps import SwapPredictions, SwapRates
from dfv.evaluation.probes.standard_errors import Estimate
from dfv.evaluation.report.report import CAPTIONS, render


class Tables(HTMLParser):
    """Collects the rows of cells' texts of every table, by the nearest heading above."""

    def __init__(self, page: str):
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self._heading, self._text = "", ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag in ("h1", "h2", "h3", "td", "th"):
            self._text = ""
        if tag == "tr":
            self.rows.setdefault(self._heading, []).append([])

    def handle_data(self, data):
        self._text += data

    def handle_endtag(self, tag):
        if tag in ("h1", "h2", "h3"):
            self._heading = self._text.strip()
        if tag in ("td", "th"):
            self.rows[self._heading][-1].append(" ".join(self._text.split()))


def tables(results) -> dict[str, list[list[str]]]:
    return Tables(render(results, {})).rows


def test_the_page_needs_no_other_file(evaluated):
    folder, results = evaluated
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in report and not re.findall(r"(?:src|href)=\"(?!data:)", report) and "url(" not in report
    assert report.count("data:image/png;base64,") == len(list((folder / "figures").glob("*.png"))) == 7
    assert {path.stem for path in (folder / "figures").glob("*.png")} <= set(CAPTIONS)
    assert "prefers-color-scheme: dark" in report and "--dataset=smallnorb" in report
    assert "--widths=32,64,128\n" in report and "--grayscale=false\n" in report
    assert results.run.command in report and results.run.evaluation.cpu in report
    text = " ".join(report.split())
    assert "200 images of 12 identities, which do not occur in training." in text
    assert "trained on 240 codes, stopped early and selected on 120 validation codes" in text
    assert "and evaluated on 200, with 1 seed." in text


def test_leakage_is_shown_in_its_columns(evaluated):
    leakage, oracle = evaluated[1].leakage, evaluated[1].oracle_errors
    rows = tables(evaluated[1])["Table 1: identity leakage"]
    assert rows[1][:6] == [
        "code",
        "probe",
        "training error",
        "test error ± SD over seeds",
        "permutation baseline",
        "leakage, pp",
    ]
    assert [row[0] for row in rows[2:6]] == ["z, mean", "z, sampled", "z, mean and log-variance", "s"]
    shown = dict(zip(rows[1], rows[5], strict=True))
    best = leakage.s.strongest
    assert shown["probe"] == best.family and shown["training error"] == f"{100 * best.train_error:.1f}"
    assert shown["test error ± SD over seeds"] == f"{100 * best.test_error:.2f} ± –"
    assert shown["permutation baseline"] == f"{100 * best.permutation_baseline:.1f}"
    assert shown["leakage, pp"] == f"{100 * best.leakage.mean:.1f} ± {100 * best.leakage.standard_error:.1f}"
    for name, probe in (
        ("network", leakage.s.network),
        ("linear", leakage.s.linear),
        ("neighbours", leakage.s.neighbours),
    ):
        assert shown[name] == f"{100 * probe.test_error:.1f} ({100 * probe.leakage.mean:.1f})"
    errors = [sum(errors.values()) / 2 for errors in (oracle.train, oracle.test)]
    assert rows[6][:4] == ["images", "convolutional", f"{100 * errors[0]:.1f}", f"{100 * errors[1]:.2f}"]
    assert [row[:5] for row in rows[7:]] == [
        ["paper, z", "", "79.8", "79.9", "80.0"],
        ["paper, s", "", "2.6", "13.5", "80.0"],
    ]


def test_stronger_probes_have_columns_where_they_were_used(evaluated):
    results = evaluated[1]
    assert tables(results)["Table 1: identity leakage"][1][6:] == ["network", "linear", "neighbours"]
    codes = {
        name: replace(code, deep=code.linear, trees=code.network)
        for name in ("z_mean", "z_sampled", "z_mean_and_log_var", "s")
        for code in [getattr(results.leakage, name)]
    }
    rows = tables(replace(results, leakage=replace(results.leakage, **codes)))["Table 1: identity leakage"]
    assert rows[1][6:] == ["network", "linear", "neighbours", "deep", "trees"]
    assert rows[2][9:] == [rows[2][7], rows[2][6]] and {len(row) for row in rows[1:]} == {11}


def test_each_label_has_a_row(evaluated):
    rows = tables(evaluated[1])["Each label"]
    assert [row[0] for row in rows] == ["label", "parity", "third"] and rows[0][1:] == [
        "z, mean",
        "z, sampled",
        "z, mean and log-variance",
        "s",
    ]
    alone = evaluated[1].leakage.s.labels["parity"]
    lines = f"{100 * alone.test_error:.1f}", f"{100 * alone.leakage.mean:.1f} ± "  # one below the other
    assert rows[1][4].startswith("".join(lines))


def test_leakage_among_matched_factors_is_shown_where_it_is_known(evaluated):
    results = evaluated[1]
    assert "Matched known factors" not in tables(results)
    z_mean = results.leakage.z_mean
    strongest = replace(z_mean.strongest, matched_permutation_baseline=0.991, matched_leakage=Estimate(0.0234, 0.004))
    matched = replace(results, leakage=replace(results.leakage, z_mean=replace(z_mean, strongest=strongest)))
    assert tables(matched)["Matched known factors"][1:] == [["z, mean", "99.1", "2.3 ± 0.4"]]


@pytest.mark.parametrize(("mean", "shown"), [(0.019, "1.9 ± 1.0 (not significant)"), (-0.021, "-2.1 ± 1.0")])
def test_leakage_within_two_standard_errors_is_not_significant(evaluated, mean, shown):
    results = evaluated[1]
    z_mean = results.leakage.z_mean
    strongest = replace(z_mean.strongest, leakage=Estimate(mean, 0.01))
    leaking = replace(results, leakage=replace(results.leakage, z_mean=replace(z_mean, strongest=strongest)))
    assert tables(leaking)["Table 1: identity leakage"][2][5] == shown
    assert ("<i>not significant</i>" in render(leaking, {})) == ("not" in shown)


def test_rates_of_s_source_and_z_source_keep_their_columns(evaluated):
    rates = ({"arms": SwapRates(0.11, 0.22, 0.5, 0.5)}, {"arms": SwapRates(0.33, 0.44, 0.5, 0.5)})
    swaps = SwapPredictions({"arms": 0.01}, *rates, {"arms": 0.55})
    results = replace(evaluated[1], identity_swaps=swaps, factor_swaps=swaps)
    shown = tables(results)
    heading = "Identity: swaps should show the s source"
    assert shown[heading][2] == ["arms", "1.0", "11.0", "22.0", "33.0", "44.0", "55.0"]
    assert shown[heading][1] == ["label", "error on real images", *["s source", "z source"] * 2, "s source"]
    assert shown[heading][0] == ["", "", "swap with the mean of z", "swap with sampled z", "prior sample"]
    assert shown["Known factors: swaps should show the z source"][2] == ["arms", "1.0", "11.0", "22.0", "33.0", "44.0"]


def test_labels_without_rates_are_left_out_of_the_mean():
    none = SwapRates(float("nan"), float("nan"), 1.0, 1.0)
    swaps = SwapPredictions({}, {"arms": SwapRates(0.11, 0.22, 0.5, 0.5), "none": none}, {}, {"arms": 0.5, "none": 1.0})
    assert swaps.mean_rates == (0.11, 0.22) and swaps.mean_prior_sample == 0.75


def test_errors_of_a_factor_keep_their_columns(evaluated):
    z_mean, z_sampled, s = (FactorError(error, 0.9, Estimate(0.8, 0.1)) for error in (0.1, 0.2, 0.3))
    results = replace(evaluated[1], factors={"pose": FactorErrors(z_mean, z_sampled, s)})
    rows = tables(results)["Known unspecified factors"]
    assert rows[1] == ["pose", "10.0", "20.0", "30.0", "90.0", "80.0 ± 10.0"]
    assert rows[0][1:4] == ["z, mean", "z, sampled", "s"]


def test_text_of_results_is_escaped(evaluated):
    results = replace(evaluated[1], factors={"<b>pose": next(iter(evaluated[1].factors.values()))})
    assert "<td>&lt;b&gt;pose</td>" in render(results, {})
