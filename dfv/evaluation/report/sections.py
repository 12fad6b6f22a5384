"""The sections of the report, each a function of what results.json holds; empty if that has nothing for it."""

from dfv.evaluation.report import html as page
from dfv.evaluation.report.formatting import CODE_NAMES, NONE, Results, number, percent, with_error


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
    kinds = [f"{kind}: {donor} donor" for kind in ("swap", "z sampled") for donor in "sz"]
    headings = ["label", "judge's error", *kinds, "prior: s donor"]
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
    kinds = [(kind, donor) for kind in ("swap_mean", "swap_sampled") for donor in ("s_source", "z_source")]
    return [
        [
            name,
            percent(error),
            *(percent(judged[kind][name][donor]) for kind, donor in kinds),
            percent(judged["prior_sample"][name]) if prior else NONE,
        ]
        for name, error in judged["error"].items()
    ]


def images(results: Results) -> str:
    reconstruction, analogies = results["reconstruction"], results.get("analogies")
    likenesses = {"reconstruction": reconstruction["own"], "same-identity swap": reconstruction["swap_same"]}
    text = f"Pixels in [0, 1]. KL of the posterior to the prior: {reconstruction['kl']:.1f} nats."
    if analogies:
        likenesses |= {
            "swap against the truth": analogies["swap"],
            "the same, z sampled": analogies["swap_sampled"],
            "copy of the s-donor": analogies["copy_of_s_source"],
            "copy of the z-donor": analogies["copy_of_z_source"],
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
