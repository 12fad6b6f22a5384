"""Which rows and columns each table has; `TABLES` has them by the names that the markers in the documents use."""

from collections.abc import Callable

from docs.tables.evaluations import image_quality, known_factors, shipped_table1, stronger_probes
from docs.tables.figures import ROOT, Figures, logged_runs, measured_run, read_csv
from docs.tables.table_columns import (
    COMMITS,
    FACTORS,
    LEAKAGE,
    MATCHED,
    MINUTES,
    MSE,
    PRIOR_SAMPLE,
    S_ERROR,
    SOURCE,
    SWAP,
    TRUE_SWAP,
    Column,
    markdown,
    one,
    several,
)

MNIST_FILE = "dfv/pretrained/mnist/results.json"
QUICKSTART_FILE = "dfv/pretrained/quickstart/results.json"
TOY_SPRITES_FILE = "dfv/pretrained/toy_sprites/results.json"
SPRITES_FILE = "dfv/pretrained/sprites/results.json"
YALEB_FILE = "dfv/pretrained/yaleb/results.json"
NORB_FILE = "dfv/pretrained/norb/results.json"
PUBLISHED_MNIST = {
    "this method as re-implemented by ananyahjha93": "docs/results/published/this_method.json",
    "cycle-consistent VAE (ananyahjha93)": "docs/results/published/cycle_vae.json",
}
BY_MINUTES = "docs/results/quality_by_minutes"
PAPER = "Table 1 of the paper"
IDENTITY = (*LEAKAGE, S_ERROR, SWAP, PRIOR_SAMPLE, MSE, SOURCE)
CHARACTERS = (*LEAKAGE, S_ERROR, TRUE_SWAP, MSE, SOURCE)


def runs_table(heading: str, columns: tuple[Column, ...], rows: dict[str, str | Figures]) -> str:
    """A table of runs, each given as a name in the log, as a results file, or as figures."""
    log = logged_runs()

    def figures(run: str | Figures) -> Figures:
        if isinstance(run, dict):
            return run
        return measured_run(run) if run.endswith(".json") else log[run]

    return markdown(heading, columns, [(label, figures(run)) for label, run in rows.items()])


def only_network(path: str) -> Figures:
    """The figures of the 256-unit probe of a results file."""
    run = measured_run(path)
    names = ("leak_mean", "leak_sample", "leak_both", "s_error")
    return {name: run[f"{name}_256"] for name in names} | {"source": run["source"]}


def summary() -> str:
    """The one table of README.md."""
    log, algorithm1 = logged_runs(), {"mnist": "019a", "yaleb": "044a", "sprites": "089a", "norb": "115b"}
    with_losses = {
        "MNIST, shipped model": (measured_run(MNIST_FILE), "mnist"),
        "Extended Yale B, shipped model": (measured_run(YALEB_FILE), "yaleb"),
        "Extended Yale B before LDA of s, 5 seeds and splits": (log["yaleb-seeds"], "yaleb"),
        "Sprites, unseen characters, shipped model": (measured_run(SPRITES_FILE), "sprites"),
        "small NORB, unseen toys, shipped model": (measured_run(NORB_FILE), "norb"),
        "small NORB, unseen toys, 3 seeds": (log["norb-seeds"], "norb"),
    }
    names = ("leak_mean", "leak_sample", "mse", "source")
    rows = [
        (label, run | {f"{name}_1": log[algorithm1[key]][name] for name in names})
        for label, (run, key) in with_losses.items()
    ]
    columns = (
        several("leakage of z, pp: mean / sample", "leak_mean", "leak_sample"),
        several("leakage of z by Algorithm 1, pp: mean / sample", "leak_mean_1", "leak_sample_1"),
        S_ERROR,
        one("swap shows s source, %", "swap_shows_s_source"),
        one("sharpness of swaps", "swap_high_frequencies"),
        one("MSE", "mse"),
        one("MSE by Algorithm 1", "mse_1"),
        SOURCE,
    )
    return markdown("", columns, rows)


def seeds(runs: list[str], *columns: Column) -> str:
    rows: dict[str, str | Figures] = {f"seed {number}": run for number, run in enumerate(runs)}
    return runs_table("", columns, rows)


def quality_by_minutes() -> str:
    """Figures of the two trainings of benchmarks.studies.quality_by_minutes, each in the order of its minutes."""
    rows = []
    for path in (ROOT / BY_MINUTES).glob("*.json"):
        name, _, _ = path.stem.partition("-")
        rows.append((name, measured_run(f"{BY_MINUTES}/{path.name}")))
    rows.sort(key=lambda row: (row[0], int(row[1]["minutes"])))
    return markdown("", (MINUTES, *LEAKAGE[:2], S_ERROR, SWAP, PRIOR_SAMPLE, MSE), rows)


def ablations(data_set: str) -> str:
    rows = [(run["what"], run) for name, run in logged_runs().items() if name.startswith(f"ablation-{data_set}")]
    light = (FACTORS,) if data_set == "yaleb" else ()
    return markdown(data_set, (*LEAKAGE, S_ERROR, SWAP, PRIOR_SAMPLE, MSE, *light), rows)


def csv_table(name: str, headings: dict[str, str]) -> str:
    """The columns of docs/results/NAME.csv under these headings, the first one being the label."""
    label, *rest = headings
    rows = [(row[label], row) for row in read_csv(ROOT / "docs" / "results" / f"{name}.csv")]
    return markdown(headings[label], tuple(one(headings[column], column) for column in rest), rows)


def table1() -> str:
    headings = {"model": "", "code": "code", "probe": "probe", "train": "train", "test": "test"}
    headings |= {"baseline": "permutation baseline", "leakage": "leakage", "error": "±"}
    return csv_table("table1", headings | {"paper": "the paper: train / test"})


def factors() -> str:
    headings = {"model": "", "factor": "factor", "z_mean": "z, mean", "z_sampled": "z, sampled", "s": "s"}
    headings |= {"baseline": "permutation baseline"}
    return csv_table("factors", headings | {"z_mean_without_independence_losses": "z, mean, no independence losses"})


def similarity() -> str:
    headings = {"model": "", "psnr": "PSNR, dB", "ssim": "SSIM", "retrieval_s": "nearest by s, %"}
    headings |= {"retrieval_z": "nearest by z, %", "retrieval_random": "at random, %", "hsic_p_mean": "HSIC p, z mean"}
    return csv_table("similarity", headings | {"hsic_p_sample": "HSIC p, z sampled", "diversity": "diversity"})


YALEB_SEEDS = ["126a", "127a", "127b", "127c", "127d"]
SPRITES_SEEDS = ["128a", "126e", "126f"]
NORB_SEEDS = ["126b", "126c", "126d"]

MNIST: dict[str, Callable[[], str]] = {
    "mnist": lambda: runs_table(
        "s and z of 16",
        IDENTITY,
        {
            "shipped model `mnist`, `mnist_fast.flags`": MNIST_FILE,
            "the same, only the 256-unit probe, as in the paper": only_network(MNIST_FILE),
            "`mnist_fast.flags --seed=1`": "docs/results/mnist_fast_seed_1.json",
            "`mnist.flags`, seed 0": "docs/results/mnist_seed_0.json",
            "`mnist.flags --seed=1`, on a CPU": "023e",
            "`mnist.flags --seed=2`, on a CPU": "027a",
            "Algorithm 1, `mnist_paper.flags`": "019a",
            **PUBLISHED_MNIST,
        },
    ),
    "quality-by-minutes": quality_by_minutes,
    "mnist-image-quality": lambda: image_quality(MNIST_FILE),
}
YALEB: dict[str, Callable[[], str]] = {
    "yaleb": lambda: runs_table(
        "s of 64, z of 512",
        IDENTITY,
        {
            "shipped model `yaleb`, seed 0": YALEB_FILE,
            "`yaleb.flags` before LDA of s, five seeds and splits": "yaleb-seeds",
            "the same, baseline matched on the light": "yaleb-seeds-matched",
            "the same, only the 256-unit probe, as in the paper": "yaleb-seeds-256",
            "the same networks without independence losses, seed 0": "050a",
            "settings of `image_folder.flags`, five seeds and splits": "yaleb-gentle-seeds",
            "these without independence losses, seed 0": "057a",
            "Algorithm 1, `yaleb_paper.flags`, seed 0": "044a",
            "Algorithm 1 without the adversary, `yaleb_no_adversary.flags`": "044b",
            "Algorithm 1, s pre-trained and frozen, `yaleb_pretrained_s.flags`": "045a",
            PAPER: "paper-yaleb",
        },
    ),
    "yaleb-seeds": lambda: seeds(
        YALEB_SEEDS, *LEAKAGE, MATCHED, S_ERROR, SWAP, PRIOR_SAMPLE, MSE, FACTORS, MINUTES, COMMITS, SOURCE
    ),
    "yaleb-factors": lambda: known_factors(YALEB_FILE),
    "yaleb-image-quality": lambda: image_quality(YALEB_FILE),
}
SPRITES: dict[str, Callable[[], str]] = {
    "sprites": lambda: runs_table(
        "100 unseen characters, seven attributes",
        CHARACTERS,
        {
            "shipped model `sprites`, seed 0": SPRITES_FILE,
            "`sprites.flags` until commit e6b6cd5, three seeds": "sprites-seeds",
            "the 20 characters without a near-twin in training": "sprites-seeds-matched",
            "only the 256-unit probe, as in the paper": "sprites-seeds-256",
            "the same networks without independence losses, seed 0": "087a",
            "Algorithm 1, `sprites_paper.flags`, seed 0": "089a",
            PAPER: "paper-sprites",
        },
    ),
    "sprites-seeds": lambda: seeds(SPRITES_SEEDS, *LEAKAGE, S_ERROR, TRUE_SWAP, MSE, FACTORS, MINUTES, COMMITS, SOURCE),
    "sprites-factors": lambda: known_factors(SPRITES_FILE),
    "sprites-image-quality": lambda: image_quality(SPRITES_FILE),
}
NORB: dict[str, Callable[[], str]] = {
    "norb": lambda: runs_table(
        "category of 25 unseen toys",
        IDENTITY,
        {
            "shipped model `norb`, seed 0": NORB_FILE,
            "`norb.flags`, three seeds": "norb-seeds",
            "the same, only the 256-unit probe, as in the paper": "norb-seeds-256",
            "the same networks without independence losses": "108a",
            "Algorithm 1, `norb_paper.flags`, seed 0": "115b",
            PAPER: "paper-norb",
        },
    ),
    "norb-seeds": lambda: seeds(
        NORB_SEEDS, *LEAKAGE, S_ERROR, SWAP, PRIOR_SAMPLE, MSE, FACTORS, MINUTES, COMMITS, SOURCE
    ),
    "norb-factors": lambda: known_factors(NORB_FILE),
    "norb-image-quality": lambda: image_quality(NORB_FILE),
}
TOY_SPRITES: dict[str, Callable[[], str]] = {
    "toy-sprites": lambda: runs_table(
        "",
        CHARACTERS,
        {"shipped model `quickstart`": QUICKSTART_FILE, "shipped model `toy_sprites`": TOY_SPRITES_FILE},
    ),
    "quickstart-factors": lambda: known_factors(QUICKSTART_FILE),
    "toy-sprites-factors": lambda: known_factors(TOY_SPRITES_FILE),
    "quickstart-image-quality": lambda: image_quality(QUICKSTART_FILE),
    "toy-sprites-image-quality": lambda: image_quality(TOY_SPRITES_FILE),
}
TABLES: dict[str, Callable[[], str]] = {
    "summary": summary,
    **MNIST,
    **YALEB,
    **SPRITES,
    **NORB,
    **TOY_SPRITES,
    "ablations-mnist": lambda: ablations("mnist"),
    "ablations-yaleb": lambda: ablations("yaleb"),
    "table1": table1,
    "table1-shipped": shipped_table1,
    "stronger-probes": stronger_probes,
    "factors": factors,
    "similarity": similarity,
}
