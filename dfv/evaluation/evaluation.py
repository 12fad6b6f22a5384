"""Evaluation of a trained model: measurements, figures, report."""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from dfv.config.schema import Config, ConfigError
from dfv.data.dataset import Splits
from dfv.evaluation.context import EvaluationContext
from dfv.evaluation.evaluated_run import EvaluatedRun, command, text_flags
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.measurements import MEASUREMENTS
from dfv.evaluation.probes.probe_data import FAMILIES
from dfv.evaluation.report.report import render
from dfv.evaluation.results import RESULTS_FILE, Results
from dfv.evaluation.sampling import SampleSizes, check_seeds
from dfv.model.codec import Codec
from dfv.model.latent.transform import NOT_FITTED
from dfv.provenance import Provenance, current_provenance
from dfv.training.run_folder import make_writable, write_whole, writing

LOGGER = logging.getLogger(__name__)


def evaluate(
    model: Codec,
    splits: Splits,
    config: Config,
    out_dir: Path | str,
    *,
    seeds: int = 3,
    progress: bool = True,
    split: str = "test",
    limits: SampleSizes | None = None,
    training: Provenance | None = None,
    stronger_probes: bool = False,
) -> Results:
    """Evaluates a model and returns the results; writes results.json, report.html and figures/*.png into out_dir.

    seeds: number of times that each probe is trained.
    progress: whether to show a progress bar instead of a log line per measurement.
    split: split to evaluate, "test", or "validation" for tuning.
    limits: maximum numbers of images and pairs.
    training: provenance of the training, for the results.
    stronger_probes: whether a deep network and boosted trees predict the identity too; tables in docs/ are without.

    Raises ConfigError for a model whose latent transform is not fitted yet, for less than one seed, for other splits,
    and for `validation` if the model was trained with include_validation; DataError if the evaluated split has fewer
    than four images or one identity, or another is empty; RunError if out_dir cannot be written.
    """
    check_seeds(seeds)
    if not model.latent.is_fitted():
        raise ConfigError(NOT_FITTED)
    make_writable(Path(out_dir))
    started = time.monotonic()
    sizes = limits or SampleSizes()
    context = EvaluationContext(
        model, splits, config, split=split, num_seeds=seeds, sizes=sizes, stronger_probes=stronger_probes
    )
    measured: dict[str, Any] = {}
    with tqdm(MEASUREMENTS, disable=not progress, desc="Evaluation", unit="measurement") as bar:
        for number, (name, measure) in enumerate(bar, 1):
            bar.set_postfix_str(name)
            if not progress:
                LOGGER.info("Evaluating: %s, %d of %d", name, number, len(MEASUREMENTS))
            measured[name] = measure(context)
    figures = measured.pop("figures")
    run = _describe_run(context, (time.monotonic() - started) / 60, training)
    return _write(Path(out_dir), Results(run=run, **measured), figures)


def _describe_run(context: EvaluationContext, minutes: float, training: Provenance | None) -> EvaluatedRun:
    config, flags = context.config, text_flags(context.config)
    return EvaluatedRun(
        dataset=context.dataset,
        split=context.split,
        seed=config.training.seed,
        split_index=config.data.split_index,
        num_steps=config.training.num_steps,
        probe_seeds=context.num_seeds,
        unseen_identities=context.unseen_identities,
        num_test_identities=len(np.unique(context.encoded.test.identity)),
        num_images=BySplit(*map(len, context.encoded)),
        flags=flags,
        command=command(flags, context.split, context.num_seeds, stronger_probes=context.families != FAMILIES),
        evaluation=current_provenance(minutes),
        training=training,
    )


def _write(out_dir: Path, results: Results, figures: dict[str, bytes]) -> Results:
    contents = {f"figures/{name}.png": png for name, png in figures.items()}
    contents["report.html"] = render(results, figures).encode()
    contents[RESULTS_FILE] = results.to_json().encode()
    with writing(out_dir):
        (out_dir / "figures").mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_whole(out_dir / name, content)
    return results
