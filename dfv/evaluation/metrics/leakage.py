"""Identity leakage of z, and the information about the identity in s: Table 1 of the paper.

Probes predict the identity from a code. The paper reports the test error of one network. Here the strongest probe of
three families is reported, with its permutation baseline and standard errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dfv.evaluation.encoded_images import CODES, EncodedSplits
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.labels import Labels
from dfv.evaluation.probes.entry_bound import EntryBound, entry_bound
from dfv.evaluation.probes.probe_data import FAMILIES, STRONGER_FAMILIES, ProbeData, probe_data
from dfv.evaluation.probes.probe_result import ProbeResult
from dfv.evaluation.probes.selection import Criterion, ProbeErrors, TrainedProbe, select_probes
from dfv.evaluation.probes.standard_errors import Estimate, estimate
from dfv.evaluation.sampling import SampleSizes
from dfv.evaluation.split_within_identities import split_within_identities
from dfv.json_records import OMITTED_IF_DEFAULT


@dataclass(frozen=True)
class CodeLeakage:
    """Results of probes on one code.

    network, linear, neighbours: the probe of each family with the best settings. deep, trees: likewise; None unless
      they were asked for.
    strongest: the one of all these with the highest leakage or, for s, accuracy on validation images.
    subsets: name -> result of the strongest probe on a part of the test images.
    labels: name -> its result for one label; empty if there is only one.
    bound: on every probe, if the code has few distinct values.
    """

    network: ProbeResult
    linear: ProbeResult
    neighbours: ProbeResult
    strongest: ProbeResult
    subsets: dict[str, ProbeResult]
    labels: dict[str, ProbeResult]
    deep: ProbeResult | None = field(default=None, metadata=OMITTED_IF_DEFAULT)
    trees: ProbeResult | None = field(default=None, metadata=OMITTED_IF_DEFAULT)
    bound: EntryBound | None = field(default=None, metadata=OMITTED_IF_DEFAULT)

    @property
    def by_family(self) -> dict[str, ProbeResult]:
        """The results of the families that were measured."""
        results = {family: getattr(self, family) for family in (*FAMILIES, *STRONGER_FAMILIES)}
        return {family: result for family, result in results.items() if result is not None}


@dataclass(frozen=True)
class Leakage:
    """Probes of the identity from each of CODES.

    target: what the probes predict, in words.
    num_images: of each split of the probes.
    """

    target: str
    num_images: BySplit[int]
    z_mean: CodeLeakage
    z_sampled: CodeLeakage
    z_mean_and_log_var: CodeLeakage
    s: CodeLeakage


def measure_leakage(
    encoded: EncodedSplits,
    labels: Labels | None,
    sizes: SampleSizes,
    *,
    num_seeds: int,
    unseen_identities: bool,
    subsets: dict[str, np.ndarray],
    families: tuple[str, ...] = FAMILIES,
) -> Leakage:
    """Trains probes on every code.

    labels: None if test identities are not in training and have no attributes; probes are then trained on some of the
      test images, and predict the identity of others.
    num_seeds: number of seeds; each probe is trained once per seed.
    unseen_identities: test identities are not in training, so that the images of one are dependent.
    subsets: name -> [N] bool over the whole test split.
    families: of the probes; the first three at least.
    """
    if labels is None:
        encoded, labels = split_within_identities(encoded.test)
        unseen_identities = False
        target = "the identity of test images, trained on other test images of the same identities"
    elif labels.names == ("identity",):
        target = "the identity"
    else:
        target = f"{', '.join(labels.names)} of unseen identities"
    codes = {
        code: measure_code_leakage(
            encoded,
            labels,
            code,
            sizes,
            num_seeds=num_seeds,
            unseen_identities=unseen_identities,
            subsets=subsets,
            families=families,
        )
        for code in CODES
    }
    return Leakage(target, BySplit(*map(len, encoded)), **codes)


def measure_code_leakage(
    encoded: EncodedSplits,
    labels: Labels,
    code: str,
    sizes: SampleSizes,
    *,
    num_seeds: int,
    unseen_identities: bool,
    subsets: dict[str, np.ndarray],
    families: tuple[str, ...] = FAMILIES,
) -> CodeLeakage:
    """Trains probes on one code, one of CODES; see `measure_leakage`."""
    data = probe_data(encoded, labels, code, num_seeds=num_seeds, unseen_identities=unseen_identities)
    # z should have no information, so its probes are compared by leakage; s all of it, whatever the baseline is.
    criterion = ProbeErrors.accuracy if code == "s" else ProbeErrors.leakage
    clusters = encoded.test.identity if unseen_identities else None
    masks = {name: mask[encoded.test.rows] for name, mask in subsets.items()}
    return code_leakage(data, labels.names, sizes, criterion, clusters, masks, families)


def code_leakage(
    data: list[ProbeData],
    names: tuple[str, ...],
    sizes: SampleSizes,
    criterion: Criterion,
    clusters: np.ndarray | None,
    subsets: Mapping[str, np.ndarray],
    families: tuple[str, ...] = FAMILIES,
) -> CodeLeakage:
    """Trains probes on one code.

    data: of each seed. names: of the columns of the labels. clusters: of the test codes, as in `estimate`.
    subsets: name -> [N] bool over the test codes.
    """
    selected = select_probes(data, sizes, criterion, families)
    results = {family: probe_result(probe, clusters) for family, probe in selected.by_family.items()}
    strongest = probe_result(selected.strongest, clusters)
    by_subset = {
        name: probe_result(selected.strongest, clusters, rows=mask) for name, mask in subsets.items() if mask.any()
    }
    several = names if len(names) > 1 else ()
    by_label = {name: probe_result(selected.strongest, clusters, columns=[i]) for i, name in enumerate(several)}
    bound = entry_bound(data[0].codes.test, data[0].labels.test, clusters)
    return CodeLeakage(**results, strongest=strongest, subsets=by_subset, labels=by_label, bound=bound)


def probe_result(
    probe: TrainedProbe,
    clusters: np.ndarray | None = None,
    *,
    rows: np.ndarray | slice = slice(None),
    columns: Sequence[int] | slice = slice(None),
) -> ProbeResult:
    """The result of a probe on test images.

    clusters: [N], as in `estimate`. rows: of the test images, all by default. columns: of the labels, all by default.
    """

    def on_test(errors: Sequence[BySplit[np.ndarray]]) -> np.ndarray:
        return np.stack([of_seed.test[rows][:, columns].mean(1) for of_seed in errors])

    test = on_test([of_seed.errors for of_seed in probe.errors])

    def against(baselines: Sequence[BySplit[np.ndarray]]) -> tuple[float, Estimate]:
        baseline = on_test(baselines)
        return float(baseline.mean()), estimate(baseline - test, None if clusters is None else clusters[rows])

    baseline, leakage = against([of_seed.baseline for of_seed in probe.errors])
    matched = [of_seed.matched_baseline for of_seed in probe.errors if of_seed.matched_baseline is not None]
    matched_baseline, matched_leakage = against(matched) if matched else (None, None)
    return ProbeResult(
        *probe.settings,
        train_error=float(np.mean([of_seed.errors.train[:, columns].mean() for of_seed in probe.errors])),
        validation_error=float(np.mean([of_seed.errors.validation[:, columns].mean() for of_seed in probe.errors])),
        test_error=float(test.mean()),
        test_error_std=float(test.mean(1).std(ddof=1)) if len(test) > 1 else float("nan"),
        permutation_baseline=baseline,
        leakage=leakage,
        matched_permutation_baseline=matched_baseline,
        matched_leakage=matched_leakage,
    )
