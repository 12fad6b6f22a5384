"""report.html: what results.json holds, for people."""

from typing import Any

from dfv.evaluation.report import html as page
from dfv.evaluation.report import sections
from dfv.evaluation.report.formatting import mean_rates, number, percent, with_error
from dfv.evaluation.report.leakage_section import table1
from dfv.training.run_folder import flag_text

CAPTIONS = {
    "swap": "Swaps (figure 2a). Real images on top and at the left; every other image has the s of the one on top and"
    " the z of the one at the left. Reconstructions on the diagonal.",
    "interpolation": "Interpolation (figure 2b), two grids. The images top left and bottom right are real; z changes"
    " down the rows, s along the columns.",
    "analogies": "Analogies. From top to bottom: the image that gives s, the one that gives z, the swap, the truth.",
    "reconstruction": "Reconstruction. From top to bottom: real images, their reconstructions, other images of the same"
    " identity, and the first row again with the s of those.",
    "generation": "Conditional generation (figures 5 and 8). At the left a real image; then its s with z from the"
    " prior.",
    "retrieval_s": "Retrieval by s (figure 4). At the left the query, then its nearest neighbours in the split.",
    "retrieval_z": "Retrieval by the mean of z (figure 4).",
    "codes": "Both code spaces: PCA and t-SNE of up to ten identities.",
}
SECTIONS = (table1, sections.factors, sections.swaps, sections.images, sections.codes)


def render(results: dict[str, Any], pictures: dict[str, bytes]) -> str:
    """The whole page; pictures: PNGs by the names of CAPTIONS."""
    run = results["run"]
    title = f"{run['dataset']}, {run['split']} split"
    shown = "".join(page.picture(pictures[name], text) for name, text in CAPTIONS.items() if name in pictures)
    flags = "\n".join(f"--{name}={flag_text(value)}" for name, value in run["flags"].items())
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    parts = [
        f"<h1>{title}</h1><p>{_scope(run, results['table1']['images'])}</p>",
        page.cards(_headlines(results)),
        *(section(results) for section in SECTIONS),
        page.section("Figures", f"Images of the {run['split']} split, drawn with a fixed seed.", shown),
        page.section("Run", versions, page.folded("Flags", flags)),
    ]
    return page.page(title, "".join(parts))


def _scope(run: dict[str, Any], images: dict[str, int]) -> str:
    who = "identities that training never saw" if run["unseen_identities"] else "identities known from training"
    return (
        f"{run['images']['test']:,} images of {run['test_identities']} {who}. Probes were trained on"
        f" {images['train']:,} codes, stopped by {images['validation']:,} and scored by {images['test']:,}, with"
        f" {run['seeds']} seed{'s' * (run['seeds'] > 1)}."
    )


def _headlines(results: dict[str, Any]) -> dict[str, str]:
    codes = results["table1"]["codes"]
    shown = {
        "leak of z's mean, points of error below chance": with_error(codes["z_mean"]["strongest"]["leak"]),
        "error read from s, %": percent(codes["s"]["strongest"]["test"], 2),
    }
    if "identity_swaps" in results:
        rates = mean_rates(results["identity_swaps"]["swap_mean"])
        shown["swaps that show the s-donor / the z-donor, %"] = " / ".join(map(percent, rates))
    if "analogies" in results:
        shown["swap against the truth, of the better copy's error"] = number(results["analogies"]["mse_ratio"], 2)
    return shown | {"MSE of the reconstruction, pixels in [0, 1]": number(results["reconstruction"]["own"]["mse"], 4)}
