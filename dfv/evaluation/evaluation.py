"""The whole evaluation of a trained model: tables, figures, report."""

import dataclasses
import json
import logging
import math
import platform
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import sklearn
import tensorflow as tf
from tqdm import tqdm

import dfv
from dfv.config.schema import Config, ConfigError
from dfv.data.dataset import SPLITS, Splits
from dfv.data.image_operations import encode_png
from dfv.evaluation.encoded_images import EncodedSplits, encode_splits
from dfv.evaluation.evaluation_splits import evaluation_splits, has_unseen_identities
from dfv.evaluation.figures.grids import pictures
from dfv.evaluation.figures.latent_space import code_space
from dfv.evaluation.labels import Labels, factor_labels, identity_labels, matched_factors, without_twin
from dfv.evaluation.metrics.analogies import KNOWN_FOR, check_factors, measure_analogies
from dfv.evaluation.metrics.dependence import Dependence, dependence
from dfv.evaluation.metrics.diversity import diversity
from dfv.evaluation.metrics.factors import read_factors
from dfv.evaluation.metrics.leakage import Table1, images_among_test_images, table1
from dfv.evaluation.metrics.oracle_classifier import OracleClassifier, train_oracle
from dfv.evaluation.metrics.reconstruction import measure_reconstruction
from dfv.evaluation.metrics.retrieval import retrieve
from dfv.evaluation.metrics.swaps import SwapPredictions, measure_swaps
from dfv.evaluation.report.report import render
from dfv.evaluation.sample_sizes import SampleSizes
from dfv.evaluation.sampling import sample_groups
from dfv.model.codec import Codec
from dfv.model.latent.fitting import AS_TRAINED, is_as_trained
from dfv.training.run_folder import write_whole, writing

LOGGER = logging.getLogger(__name__)

PACKAGES = (dfv, tf, keras, np, sklearn)


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
) -> dict[str, Any]:
    """Everything that the paper shows of a model, from test images; split="validation" for tuning.

    Writes results.json, report.html and figures/*.png into out_dir, and returns what results.json holds: rates and
    errors as fractions, None for what is not a number. seeds: how many each probe is trained with. progress: a bar, in
    place of a line in the log for each stage. Raises ConfigError for a model whose z is yet to be fitted.
    """
    if is_as_trained(model):
        raise ConfigError(AS_TRAINED)
    evaluation = _Evaluation(model, splits, split, config, seeds, limits or SampleSizes())
    stages: dict[str, Callable[[], Any]] = {"run": evaluation.describe}
    stages |= {"figures": evaluation.pictures} | evaluation.measurements()
    results: dict[str, Any] = {}
    with tqdm(stages.items(), disable=not progress, desc="Evaluation", unit="stage") as bar:
        for name, stage in bar:
            bar.set_postfix_str(name)
            if not progress:
                LOGGER.info("Evaluating: %s, %d of %d", name, len(results) + 1, len(stages))
            results[name] = stage()
    pictures = results.pop("figures")
    return _write(Path(out_dir), _plain(results), pictures)


class _Evaluation:
    """A model, the splits that train, stop and score, and every measurement by its name."""

    def __init__(self, model: Codec, splits: Splits, split: str, config: Config, seeds: int, limits: SampleSizes):
        check_factors(config.data.dataset, splits.test)
        self.model, self.split, self.config, self.seeds, self.limits = model, split, config, seeds, limits
        self.trained_on, self.splits = splits.train, evaluation_splits(splits, config.data, split)
        self.unseen = has_unseen_identities(self.splits)
        self.labels, self.factor_labels = identity_labels(self.splits), factor_labels(self.splits)

    @cached_property
    def coded(self) -> EncodedSplits:
        return encode_splits(self.model, self.splits, self.limits)

    def describe(self) -> dict[str, Any]:
        return {
            "split": self.split,
            "dataset": self.config.data.dataset,
            "seeds": self.seeds,
            "unseen_identities": self.unseen,
            "test_identities": len(np.unique(self.coded.test.identity)),
            "images": {name: len(getattr(self.coded, name)) for name in SPLITS},
            "flags": self.config.as_flags(),
            "versions": {"python": platform.python_version()} | {m.__name__: m.__version__ for m in PACKAGES},
        }

    def measurements(self) -> dict[str, Callable[[], Any]]:
        """What measures, by name, quick ones first; what the set does not allow is left out."""
        model, limits, dataset = self.model, self.limits, self.config.data.dataset
        labels, factors = self.labels, self.factor_labels
        stages: dict[str, Callable[[], Any]] = {
            "reconstruction": lambda: measure_reconstruction(model, self.coded.test, limits.reconstructions),
            "diversity": lambda: diversity(model, self.coded.test),
            "retrieval": lambda: retrieve(self.coded.test, limits.retrieval_queries),
            "dependence": self._dependence,
        }
        if dataset in KNOWN_FOR:
            stages["analogies"] = lambda: measure_analogies(
                model, dataset, self.splits.test, self.coded.test, limits.analogies
            )
        stages["table1"] = self._table1
        stages["image_classifier"] = lambda: self._oracle.errors
        if labels is not None:
            stages["identity_swaps"] = lambda: measure_swaps(model, self.coded.test, self._oracle, limits.swaps)
        if factors is not None:
            stages["factors"] = lambda: read_factors(self.coded, factors, limits, seeds=self.seeds, unseen=self.unseen)
            stages["factor_swaps"] = lambda: self._factor_swaps(factors)
        return stages

    @cached_property
    def _oracle(self) -> OracleClassifier:
        """Of the identity; trained on other test images where training has no label of theirs, as the probes are."""
        if self.labels is not None:
            return train_oracle(self.splits, self.labels, self.limits)
        return train_oracle(*images_among_test_images(self.coded.test), self.limits)

    def _table1(self) -> Table1:
        # Not by the images that the probes are trained on: the model's training saw others too.
        twinless = without_twin(self.trained_on, self.splits)
        parts = {} if twinless is None else {"without_twin": twinless}
        return table1(self.coded, self.labels, self.limits, seeds=self.seeds, unseen=self.unseen, parts=parts)

    def _factor_swaps(self, labels: Labels) -> SwapPredictions:
        oracle = train_oracle(self.splits, labels, self.limits)
        return measure_swaps(self.model, self.coded.test, oracle, self.limits.swaps)

    def _dependence(self) -> dict[str, Dependence]:
        alike = matched_factors(self.coded.test.image_set)
        rows = sample_groups(alike, self.limits.dependence_images)
        test, in_use = self.coded.test.select(rows), self.coded.test.varying_z_dims()
        codes = {name: test.code(name, 0, in_use) for name in ("z_mean", "z_sampled", "s")}
        permutations, identity = self.limits.permutations, test.identity
        return {name: dependence(code, identity, permutations, alike=alike[rows]) for name, code in codes.items()}

    def pictures(self) -> dict[str, bytes]:
        """PNGs by name."""
        test = self.coded.test
        grids = pictures(self.model, self.config.data, self.splits.test, test)
        codes = code_space(test, self.factor_labels, self.limits.code_pictures)
        return {name: encode_png(grid) for name, grid in grids.items()} | {"codes": codes}


def _write(out_dir: Path, results: dict[str, Any], figures: dict[str, bytes]) -> dict[str, Any]:
    contents = {f"figures/{name}.png": png for name, png in figures.items()}
    contents["report.html"] = render(results, figures).encode()
    contents["results.json"] = (json.dumps(results, indent=1, allow_nan=False) + "\n").encode()
    with writing(out_dir):
        (out_dir / "figures").mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_whole(out_dir / name, content)
    return results


def _plain(value: Any) -> Any:
    """As JSON has it: records as dicts, keys as text, tuples as lists, None for what is not a finite number."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
