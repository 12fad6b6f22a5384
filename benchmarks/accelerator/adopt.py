"""Makes a run folder of weights that an exported step was trained to elsewhere.

    python -m benchmarks.accelerator.adopt programs/mnist trained/mnist --run_dir=runs/mnist
    python -m dfv.main --flagfile=programs/mnist/config.flags --run_dir=runs/mnist --mode=evaluate

The folder holds the model, its latent transform fitted here, and its pictures, but no checkpoint to go on from.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.accelerator.export import trained
from dfv import data
from dfv.config.schema import Config, ConfigError
from dfv.main import parse_config
from dfv.model.codec import Codec
from dfv.model.image_grids import save_pictures
from dfv.model.latent.fit import fit_latent
from dfv.training.errors import RunError
from dfv.training.model_files import ModelFile
from dfv.training.run_flags import FLAGS_FILE, write_flags


def adopt(config: Config, weights: dict[str, np.ndarray], splits: data.Splits, run_dir: Path) -> None:
    """Writes the run folder, after the fit of the latent transform."""
    model = Codec(config, splits.train.image_shape, splits.label_sizes)
    for place, variable in enumerate(trained(model)):
        variable.assign(weights[str(place)].astype(variable.dtype))
    fit_latent(model, splits.train)
    run_dir.mkdir(parents=True, exist_ok=True)
    write_flags(run_dir, config)
    ModelFile(model, run_dir).save()
    save_pictures(model, splits.validation, run_dir)


def read_weights(trained: Path) -> dict[str, np.ndarray]:
    """Every array of TRAINED.0.npz and on."""
    pieces = sorted(trained.parent.glob(f"{trained.name}.*.npz"))
    if not pieces:
        raise RunError(f"expected {trained}.0.npz, as benchmarks/accelerator/run.py writes it; there is none.")
    weights: dict[str, np.ndarray] = {}
    for piece in pieces:
        with np.load(piece) as arrays:
            weights |= dict(arrays)
    return weights


def main(arguments: list[str]) -> None:
    """Adopts what the arguments name; flags of dfv.main that say where the data lie may follow."""
    parser = argparse.ArgumentParser(prog="benchmarks.accelerator.adopt", description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("trained", type=Path)
    parser.add_argument("--run_dir", type=Path, required=True)
    own, rest = parser.parse_known_args(arguments)
    config = parse_config([f"--flagfile={own.program / FLAGS_FILE}", *rest])
    adopt(config, read_weights(own.trained), data.load(config.data), own.run_dir)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ConfigError, data.DataError, RunError) as error:
        sys.exit(f"benchmarks.accelerator.adopt: {error}")
