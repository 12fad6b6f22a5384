"""All measurements of an evaluation, by the name of their field in the results."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dfv.evaluation.context import EvaluationContext
from dfv.evaluation.figures.figures import make_figures
from dfv.evaluation.labels import without_twin
from dfv.evaluation.metrics.analogies import KNOWN_FOR, Analogies, measure_analogies
from dfv.evaluation.metrics.dependence import Dependence, measure_dependence
from dfv.evaluation.metrics.diversity import Diversity, measure_diversity
from dfv.evaluation.metrics.factors import FactorErrors, measure_factors
from dfv.evaluation.metrics.image_quality import ImageQuality, measure_image_quality
from dfv.evaluation.metrics.leakage import Leakage, measure_leakage
from dfv.evaluation.metrics.oracle_classifier import OracleErrors, train_oracle
from dfv.evaluation.metrics.reconstruction import Reconstruction, measure_reconstruction
from dfv.evaluation.metrics.retrieval import Retrieval, measure_retrieval
from dfv.evaluation.metrics.swaps import SwapPredictions, measure_swaps


class Measurement(NamedTuple):
    """name: a field of Results, or "figures"; measure: returns its value, None if undefined for the data set."""

    name: str
    measure: Callable[[EvaluationContext], Any]


def _reconstruction(context: EvaluationContext) -> Reconstruction:
    return measure_reconstruction(context.model, context.encoded.test, context.sizes)


def _diversity(context: EvaluationContext) -> Diversity | None:
    return measure_diversity(context.model, context.encoded.test)


def _retrieval(context: EvaluationContext) -> Retrieval:
    return measure_retrieval(context.encoded.test, context.sizes)


def _dependence(context: EvaluationContext) -> Dependence:
    return measure_dependence(context.encoded.test, context.sizes)


def _analogies(context: EvaluationContext) -> Analogies | None:
    if context.dataset not in KNOWN_FOR:
        return None
    test = context.splits.test, context.encoded.test
    return measure_analogies(context.model, context.dataset, *test, context.sizes)


def _leakage(context: EvaluationContext) -> Leakage:
    # Compared with all images that the model was trained on, of which the probes see a part.
    twinless = without_twin(context.trained_on, context.splits)
    subsets = {} if twinless is None else {"without_twin": twinless}
    return measure_leakage(
        context.encoded,
        context.labels,
        context.sizes,
        num_seeds=context.num_seeds,
        unseen_identities=context.unseen_identities,
        subsets=subsets,
        families=context.families,
    )


def _oracle_errors(context: EvaluationContext) -> OracleErrors:
    return context.oracle.errors


def _image_quality(context: EvaluationContext) -> ImageQuality:
    encoded = context.encoded
    return measure_image_quality(context.model, encoded.train, encoded.test, context.oracle, context.sizes)


def _identity_swaps(context: EvaluationContext) -> SwapPredictions | None:
    test = context.unseen_by_oracle
    if len(np.unique(test.identity)) < 2:
        return None
    return measure_swaps(context.model, test, context.oracle, context.sizes)


def _factors(context: EvaluationContext) -> dict[str, FactorErrors] | None:
    if context.factor_labels is None:
        return None
    return measure_factors(
        context.encoded,
        context.factor_labels,
        context.sizes,
        num_seeds=context.num_seeds,
        unseen_identities=context.unseen_identities,
    )


def _factor_swaps(context: EvaluationContext) -> SwapPredictions | None:
    if context.factor_labels is None:
        return None
    oracle = train_oracle(context.splits, context.factor_labels, context.sizes)
    return measure_swaps(context.model, context.encoded.test, oracle, context.sizes)


# Quick ones first.
MEASUREMENTS = (
    Measurement("figures", make_figures),
    Measurement("reconstruction", _reconstruction),
    Measurement("diversity", _diversity),
    Measurement("retrieval", _retrieval),
    Measurement("dependence", _dependence),
    Measurement("analogies", _analogies),
    Measurement("leakage", _leakage),
    Measurement("oracle_errors", _oracle_errors),
    Measurement("image_quality", _image_quality),
    Measurement("identity_swaps", _identity_swaps),
    Measurement("factors", _factors),
    Measurement("factor_swaps", _factor_swaps),
)
