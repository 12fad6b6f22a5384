"""What runs are compared by: columns of numbers, each a function of what results.json holds."""

from collections.abc import Callable
from typing import NamedTuple

from dfv.evaluation.report.formatting import Results, mean, mean_rates

Numbers = tuple[float | None, ...]

NOT_JUDGED: Results = {"swap_mean": {}, "prior_sample": {}}


class Column(NamedTuple):
    """A column of a table: its heading, the digits of each of its numbers, and where results have them."""

    heading: str
    digits: tuple[int, ...]
    numbers: Callable[[Results], Numbers]


def _percents(*rates: float | None) -> Numbers:
    return tuple(None if rate is None else 100 * rate for rate in rates)


def _leak(code: str) -> Callable[[Results], Numbers]:
    return lambda results: _percents(results["table1"]["codes"][code]["strongest"]["leak"]["mean"])


def _error_from_s(results: Results) -> Numbers:
    return _percents(results["table1"]["codes"]["s"]["strongest"]["test"])


def _swaps(results: Results) -> Numbers:
    return _percents(*mean_rates(results.get("identity_swaps", NOT_JUDGED)["swap_mean"]))


def _prior_samples(results: Results) -> Numbers:
    return _percents(mean(results.get("identity_swaps", NOT_JUDGED)["prior_sample"].values()))


def _mse(results: Results) -> Numbers:
    likeness = results["reconstruction"]
    return tuple(likeness[kind] and likeness[kind]["mse"] for kind in ("own", "swap_same"))


def _factors(results: Results) -> Numbers:
    factors = results.get("factors", {}).values()
    return _percents(*(mean(factor[code]["error"] for factor in factors) for code in ("z_mean", "s")))


def _neighbours(results: Results) -> Numbers:
    precision = results["retrieval"]["precision"]
    return _percents(*(precision[code]["1"] for code in ("s", "z_mean")), results["retrieval"]["chance"])


def _likeness(results: Results) -> Numbers:
    return tuple(results["reconstruction"]["own"][name] for name in ("psnr", "ssim"))


def _dependence(results: Results) -> Numbers:
    return tuple(results["dependence"][code]["p_value"] for code in ("z_mean", "z_sampled"))


def _diversity(results: Results) -> Numbers:
    return (results["diversity"] and results["diversity"]["ratio"],)


DISENTANGLED = (
    Column("leak of z: mean, points", (1,), _leak("z_mean")),
    Column("sampled", (1,), _leak("z_sampled")),
    Column("mean and log-variance", (1,), _leak("z_mean_and_log_var")),
    Column("error from s, %", (2,), _error_from_s),
    Column("swap: s-donor / z-donor, %", (1, 1), _swaps),
    Column("prior: s-donor, %", (1,), _prior_samples),
    Column("MSE, reconstruction / same-identity swap", (4, 4), _mse),
    Column("known factors: error from z / s, %", (1, 1), _factors),
)
MORE = (
    Column("PSNR, dB / SSIM", (1, 3), _likeness),
    Column("nearest image of the identity: by s / by z / by chance, %", (1, 1, 1), _neighbours),
    Column("HSIC with the identity, p: z mean / sampled", (3, 3), _dependence),
    Column("prior samples of an identity differ, of its real images", (2,), _diversity),
)
