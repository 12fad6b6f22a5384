"""The leakage test on arrays."""

from typing import TYPE_CHECKING

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.leakage.checks import check
from dfv.evaluation.leakage.labelled_codes import LabelledCodes
from dfv.evaluation.sampling import SampleSizes, check_seeds

if TYPE_CHECKING:
    from dfv.evaluation.leakage.results import LeakageResults


def measure(
    train: LabelledCodes,
    validation: LabelledCodes,
    test: LabelledCodes,
    *,
    seeds: int = 3,
    stronger_probes: bool = True,
    limits: SampleSizes | None = None,
) -> "LeakageResults":
    """Trains probes on the codes of `train`, selects the strongest on `validation`, and returns its leakage on `test`.

    The images of `validation` and `test` should be new to the model. Each split is sampled down to the limits.

    seeds: number of times that each probe is trained.
    stronger_probes: whether a deep network and boosted trees are among the probes; in `dfv.evaluate` they are not.
    limits: maximum numbers of codes.
    Raises DataError for codes that cannot be tested, with all faults of a kind; see LabelledCodes for what is expected.
    Raises ConfigError for less than one seed.
    """
    check_seeds(seeds)
    splits = BySplit(train, validation, test)
    check(splits)
    from dfv.evaluation.leakage.probing import probe  # imports TensorFlow

    return probe(splits, seeds, stronger_probes, limits or SampleSizes())
