"""The sections of the report, each a function of what results.json holds; empty if that has nothing for it."""

from typing import Any

from dfv.evaluation import page
from dfv.evaluation.paired import Estimate
from dfv.evaluation.published import TABLE_1

Results = dict[str, Any]

CODE_NAMES = {
    "z_mean": "z, mean",
    "z_sampled": "z, sampled",
    "z_mean_and_log_var": "z, mean and log-variance",
    "s": "s",
}
PROBE_NAMES = {"network": "256 units", "linear": "linear", "neighbours": "neighbours"}
NONE = "–"


def number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    return NONE if value is None else number(100 * value, digits)


def with_error(estimate: dict[str, float]) -> str:
    """Points ± standard error, and whether that counts as zero."""
    zero = " (zero)" if None not in estimate.values() and Estimate(**estimate).is_zero() else ""
    return f"{percent(estimate['mean'])} ± {percent(estimate['standard_error'])}{zero}"


def table1(results: Results) -> str:
    table = results["table1"]
    headings = ["code", "train", "test", "chance", "leak, points", *PROBE_NAMES.values(), "counted", "leak among alike"]
    rows = [[CODE_NAMES[name], *_reading_cells(reading)] for name, reading in table["codes"].items()]
    train, test = (sum(errors.values()) / len(errors) for errors in results["image_classifier"].values())
    rows.append(["images, classifier", percent(train), percent(test, 2), *[NONE] * 7])
    text = (
        f"Error in % of fresh probes that predict {table['predicts']}, ± spread over seeds. The probe that read most on"
        " validation data counts. Chance is its error after training on permuted labels; the leak is chance minus"
        " error, ± standard error. One within two standard errors of zero counts as zero; an error above chance is"
        " dependence too. Of each probe: error (leak). Among alike: beside labels permuted among images of equal known"
        " factors, where each identity shows each of them about once; a code that tells those and nothing else then"
        " errs more than image by image, and the leak beside that chance understates what it tells."
    )
    whole = page.table(headings, rows, _published(results["run"]["dataset"]))
    return page.section("Table 1: who is it?", text, whole, *_label_tables(table), *_part_tables(table))


def _reading_cells(reading: Results) -> list[str]:
    counted, by_name = reading["strongest"], [reading["probes"][name] for name in PROBE_NAMES]
    return [
        percent(counted["train"]),
        f"{percent(counted['test'], 2)} ± {percent(counted['spread'], 2)}",
        percent(counted["chance"]),
        with_error(counted["leak"]),
        *(f"{percent(probe['test'])} ({percent(probe['leak']['mean'])})" for probe in by_name),
        PROBE_NAMES[counted["kind"].split()[0]],
        with_error(counted["alike_leak"]) if counted["alike_leak"] else NONE,
    ]


def _published(dataset: str) -> list[list[str]]:
    if dataset not in TABLE_1:
        return []
    paper = TABLE_1[dataset]
    return [
        [f"paper, {code}", f"{paper[code].train}", f"{paper[code].test}", f"{paper['chance'].test}", *[NONE] * 6]
        for code in ("z", "s")
    ]


def _label_tables(table: Results) -> list[str]:
    readings = table["codes"]
    rows = [
        [name, *(f"{percent(own['test'])} ({with_error(own['leak'])})" for own in each)]
        for name, *each in zip(readings["s"]["labels"], *(r["labels"].values() for r in readings.values()), strict=True)
    ]
    headings = ["each label by itself, test (leak)", *(CODE_NAMES[code] for code in readings)]
    return [page.table(headings, rows)] if rows else []


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


def factors(results: Results) -> str:
    if "factors" not in results:
        return ""
    codes = ("z_mean", "z_sampled", "s")
    headings = ["factor", *(CODE_NAMES[code] for code in codes), "chance", "told by s, points"]
    rows = [
        [
            name,
            *(percent(by_code[code]["error"]) for code in codes),
            percent(by_code["z_mean"]["chance"]),
            with_error(by_code["s"]["told"]),
        ]
        for name, by_code in results["factors"].items()
    ]
    text = (
        "Error in % of the 256-unit probe that predicts what z must keep and s should not tell. Measures are in seven"
        " bins of equal counts."
    )
    return page.section("What changes between images of one identity", text, page.table(headings, rows))


def swaps(results: Results) -> str:
    headings = ["label", "judge's error", "swap: s donor", "z donor", "z sampled: s donor", "z donor", "prior: s donor"]
    tables = [
        page.table(headings, _swap_rows(results[name], prior=name == "identity_swaps"))
        for name in ("identity_swaps", "factor_swaps")
        if name in results
    ]
    text = (
        "Classifiers trained on real training images alone say what a swap between two images of different"
        " identities shows, in % of the pairs whose donors differ in the label; and what a prior sample shows."
    )
    return page.section("Swaps and prior samples, judged", text, *tables) if tables else ""


def _swap_rows(judged: Results, prior: bool) -> list[list[str]]:
    kinds = [(kind, donor) for kind in ("swap_mean", "swap_sampled") for donor in ("s_donor", "z_donor")]
    return [
        [
            name,
            percent(error),
            *(percent(judged[kind][name][donor]) for kind, donor in kinds),
            percent(judged["prior_sample"][name]) if prior else NONE,
        ]
        for name, error in judged["error"].items()
    ]


def mean_rates(by_label: dict[str, dict[str, float | None]]) -> list[float | None]:
    """Rates of s-donor and z-donor, averaged over the labels that have them."""
    means: list[float | None] = []
    for donor in ("s_donor", "z_donor"):
        known = [rate for rates in by_label.values() if (rate := rates[donor]) is not None]
        means.append(sum(known) / len(known) if known else None)
    return means


def images(results: Results) -> str:
    reconstruction, analogies = results["reconstruction"], results.get("analogies")
    likenesses = {"reconstruction": reconstruction["own"], "same-identity swap": reconstruction["swap_same"]}
    text = f"Pixels in [0, 1]. KL of the posterior to the prior: {reconstruction['kl']:.1f} nats."
    if analogies:
        likenesses |= {
            "swap against the truth": analogies["swap"],
            "the same, z sampled": analogies["swap_sampled"],
            "copy of the s-donor": analogies["copy_of_s_donor"],
            "copy of the z-donor": analogies["copy_of_z_donor"],
        }
        text += (
            f" Swaps against the truth have {analogies['mse_ratio']:.2f} times the error of copying the better donor"
            f" of each pair; {analogies['changed_ratio']:.2f} times where the truth differs from a donor."
        )
    if results["diversity"]:
        ratio = number(results["diversity"]["ratio"], 2)
        text += f" Prior samples of one identity differ {ratio} times as much as its real images."
    rows = [
        [name, number(like["mse"], 5), number(like["psnr"], 1), number(like["ssim"], 3)]
        for name, like in likenesses.items()
        if like
    ]
    return page.section("Images", text, page.table(["image", "MSE", "PSNR, dB", "SSIM"], rows))


def codes(results: Results) -> str:
    retrieval = results["retrieval"]
    ranks = list(retrieval["precision"]["s"])
    rows = [
        [CODE_NAMES[code], *(percent(precision[k]) for k in ranks), percent(retrieval["chance"])]
        for code, precision in retrieval["precision"].items()
    ]
    hsic = [
        [CODE_NAMES[code], *(number(value[name], 4) for name in ("hsic", "by_chance")), number(value["p_value"], 3)]
        for code, value in results["dependence"].items()
    ]
    return page.section(
        "Neighbours and dependence",
        "Precision in % of identity among the nearest images of the split; and the Hilbert-Schmidt independence"
        " criterion between code and identity, 0 to 1, beside its mean over identities permuted among images of equal"
        " known factors, or among all where none are known.",
        page.table(["retrieval by", *(f"at {k}" for k in ranks), "chance"], rows),
        page.table(["code", "HSIC", "permuted", "p"], hsic),
    )
