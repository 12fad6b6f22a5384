"""The columns of a comparison of runs, each a function of their results."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dfv.evaluation.metrics.swaps import mean_of_known
from dfv.evaluation.probes.probe_result import ProbeResult
from dfv.evaluation.results import Results

Numbers = tuple[float, ...]  # NaN where a value is not known


class Column(NamedTuple):
    """A column of a table: its heading, the digits of each of its numbers, and the numbers of results."""

    heading: str
    digits: tuple[int, ...]
    numbers: Callable[[Results], Numbers]


def _known(value: float | None) -> float:
    return np.nan if value is None else value


def _percents(*fractions: float) -> Numbers:
    return tuple(100 * fraction for fraction in fractions)


def _leakage(strongest: ProbeResult) -> Numbers:
    return _percents(strongest.leakage.mean)


def _swaps(results: Results) -> Numbers:
    swaps = results.identity_swaps
    return _percents(*swaps.mean_rates) if swaps else (np.nan, np.nan)


def _prior_samples(results: Results) -> Numbers:
    swaps = results.identity_swaps
    return _percents(swaps.mean_prior_sample) if swaps else (np.nan,)


def _mse(results: Results) -> Numbers:
    swap_same = results.reconstruction.swap_same
    return results.reconstruction.own.mse, swap_same.mse if swap_same else np.nan


def _factors(results: Results) -> Numbers:
    factors = (results.factors or {}).values()
    return _percents(mean_of_known(f.z_mean.error for f in factors), mean_of_known(f.s.error for f in factors))


def _neighbours(results: Results) -> Numbers:
    retrieval = results.retrieval
    return _percents(retrieval.s_precision[1], retrieval.z_mean_precision[1], retrieval.random_precision)


def _similarity(results: Results) -> Numbers:
    own = results.reconstruction.own
    return own.psnr, _known(own.ssim)


def _dependence(results: Results) -> Numbers:
    return results.dependence.z_mean.p_value, results.dependence.z_sampled.p_value


def _diversity(results: Results) -> Numbers:
    return (results.diversity.ratio if results.diversity else np.nan,)


def _frechet(results: Results) -> Numbers:
    quality = results.image_quality
    if quality is None:
        return (np.nan,) * 4
    kinds = (quality.reconstruction, quality.swap, quality.prior_sample, quality.real)
    return tuple(kind.frechet_distance for kind in kinds)


def _frequencies(results: Results) -> Numbers:
    quality = results.image_quality
    return (quality.swap.high_frequencies, quality.swap.stride_frequencies) if quality else (np.nan, np.nan)


MAIN_COLUMNS = (
    Column("identity leakage of z: mean, pp", (1,), lambda results: _leakage(results.leakage.z_mean.strongest)),
    Column("sampled, pp", (1,), lambda results: _leakage(results.leakage.z_sampled.strongest)),
    Column("mean and log-variance, pp", (1,), lambda results: _leakage(results.leakage.z_mean_and_log_var.strongest)),
    Column("error rate from s, %", (2,), lambda results: _percents(results.leakage.s.strongest.test_error)),
    Column("swap: s source / z source, %", (1, 1), _swaps),
    Column("prior sample: s source, %", (1,), _prior_samples),
    Column("MSE, reconstruction / same-identity swap", (4, 4), _mse),
    Column("known factors: error rate from z / s, %", (1, 1), _factors),
)
FURTHER_COLUMNS = (
    Column("PSNR, dB / SSIM", (1, 3), _similarity),
    Column("nearest neighbour of the same identity: by s / by z / random, %", (1, 1, 1), _neighbours),
    Column("HSIC with the identity, p: z mean / sampled", (3, 3), _dependence),
    Column("Fréchet distance: reconstruction / swap / prior sample / real images", (1, 1, 1, 1), _frechet),
    Column("spectrum of swaps, relative to real images: high frequencies / strides", (2, 2), _frequencies),
    Column("diversity of prior samples, relative to real images", (2,), _diversity),
)
