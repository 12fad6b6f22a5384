"""What each part of the recipe is worth: the identity that z leaks, and its price, with one part left out at a time.

    python -m benchmarks.studies.leak_remedies mnist --out=remedies/mnist
    python -m benchmarks.studies.leak_remedies yaleb --out=remedies/yaleb --manual_dir=... --split_index=1

Trains one small model of 6,000 steps for each row, evaluates it on validation images with one seed of each probe, and
writes table.md and swap.png. Flags of dfv.main may follow. What is there already is not done again, and --only takes
some of the rows.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import timing
from dfv import data
from dfv.config.flag_files import flag_text
from dfv.config.schema import ConfigError
from dfv.data.dataset import DataError
from dfv.evaluation import evaluate
from dfv.evaluation.report.comparison import compare
from dfv.evaluation.sampling import SampleSizes
from dfv.main import parse_config
from dfv.training.errors import RunError
from dfv.training.model_files import load

Flags = dict[str, object]

SMALL: Flags = {"backbone": "three_5x5", "widths": "16,32,64", "adversary_widths": "16,32,64", "batch_size": 32}
SMALL |= {"num_steps": 6000, "validation_steps": 2000, "checkpoint_steps": 2000, "generator_learning_rate": 1e-3}
SETS: dict[str, Flags] = {
    "mnist": {"dataset": "mnist", "s_dim": 16, "z_dim": 16, "kl_weight": 0.2}
    | dict.fromkeys(("swap_other_weight", "prior_sample_weight"), 0.01),
    "yaleb": {"dataset": "yaleb", "image_size": 32, "s_dim": 64, "z_dim": 64, "kl_weight": 0.1}
    | dict.fromkeys(("swap_other_weight", "prior_sample_weight"), 0.05),
}
YALEB_FLOW: Flags = {"flow_layers": 4, "flow_units": 32, "flow_steps": 2000}
YALEB_AXES: Flags = {"pca_dim": 16} | YALEB_FLOW  # A flow needs many images for each dimension, so none without axes.
# Of MNIST's 16 dimensions all are in use, and the kernel term saturates on it: a part each.
PARTS: dict[str, dict[str, Flags]] = {
    "classifiers on z": {key: {"latent_adversary_weight": 0.03} for key in SETS},
    "prior for every identity": {
        "mnist": {"identity_mmd_weight": 1.0},
        "yaleb": {"identity_mmd_weight": 0.5},
    },
    "kernel on the means": {"yaleb": {"mean_kernel_weight": 1.0}},
    "cosine": {key: {"generator_schedule": "cosine"} for key in SETS},
    "samples seen by the adversary": {key: {"adversary_sees_prior_samples": True} for key in SETS},
    "one variance (nor what needs it)": {
        "mnist": {"shared_variance": True, "rounding_step": 1.0},
        "yaleb": {"shared_variance": True, "rounding_step": 1.0} | YALEB_AXES,
    },
    "rounding": {key: {"rounding_step": 1.0} for key in SETS},
    "axes (nor flow)": {"yaleb": YALEB_AXES},
    "flow": {"mnist": {"flow_layers": 8, "flow_to_normal": True}, "yaleb": YALEB_FLOW},
}
EVALUATED = SampleSizes(
    train_images=10_000, probe_epochs=60, oracle_pixels=80_000_000, swaps=2_000, permutations=40, code_pictures=500
)


def rows(dataset: str) -> dict[str, Flags]:
    """The name of each row and what its run has beside the paper's losses."""
    parts = {name: flags[dataset] for name, flags in PARTS.items() if dataset in flags}
    everything = {name: value for flags in parts.values() for name, value in flags.items()}
    by_pairs = {"adversary_labels": "pair", "latent_adversary_labels": "pair"}
    named: dict[str, Flags] = {
        "the paper's losses": {},
        "KL 1": {"kl_weight": 1.0},
        "no adversary": {"swap_other_weight": 0.0, "prior_sample_weight": 0.0},
        "all": everything,
    }
    for left_out, flags in parts.items():
        named[f"all but {left_out}"] = {name: value for name, value in everything.items() if name not in flags}
    return named | {"all, by pairs": everything | by_pairs}


def train(arguments: list[str], run_dir: Path) -> None:
    """Trains a run in a process of its own, or finishes it."""
    log = run_dir.with_suffix(".log")
    command = [sys.executable, "-m", "dfv.main", *arguments, f"--run_dir={run_dir}"]
    with log.open("w") as output:
        if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode:
            raise RunError(f"the run did not finish; its last words are in {log}.")


def measure(run_dir: Path) -> None:
    """Evaluates a trained run on validation images, once."""
    if not (run_dir / "results.json").exists():
        model = load(run_dir)
        splits = data.load(model.config.data)
        evaluate(model, splits, model.config, run_dir, seeds=1, split="validation", limits=EVALUATED, progress=False)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dataset", choices=sorted(SETS))
    parser.add_argument("--out", type=Path, required=True, help="the folder of all runs")
    parser.add_argument("--only", nargs="+", help="names of rows, such as 'all but rounding'")
    given, more = parser.parse_known_args(arguments)
    named = rows(given.dataset)
    unknown = set(given.only or ()) - set(named)
    if unknown:
        raise ConfigError(f"--only expects rows among {', '.join(named)}; got {', '.join(sorted(unknown))}.")
    given.out.mkdir(parents=True, exist_ok=True)
    finished = []
    for name in given.only or named:
        flags = SETS[given.dataset] | SMALL | named[name]
        command = [f"--{flag}={flag_text(value)}" for flag, value in flags.items()] + more
        parse_config(command)
        finished.append(given.out / name)
        train(command, finished[-1])
        measure(finished[-1])
        print(f"{name} is done", file=sys.stderr, flush=True)
    print(timing.circumstances(["tensorflow", "keras"]) + "\n")
    print(compare(finished, given.out))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ConfigError, DataError, RunError) as error:
        sys.exit(f"benchmarks.studies.leak_remedies: {error}")
