"""Table 1: what fresh probes read of the identity from z and from s."""

from dataclasses import dataclass

import numpy as np

from dfv.data.dataset import Splits
from dfv.evaluation.encoded_images import CODES, EncodedImages, EncodedSplits
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.labels import Labels, matched_factors
from dfv.evaluation.probes.probe_data import Parts, Task
from dfv.evaluation.probes.selection import CodeLeakage, leak, read, rightness
from dfv.evaluation.sample_sizes import SampleSizes
from dfv.evaluation.sampling import grouped_by_identity


def read_code(
    coded: EncodedSplits,
    labels: Labels,
    name: str,
    limits: SampleSizes,
    *,
    seeds: int,
    unseen: bool,
    parts: dict[str, np.ndarray] | None = None,
) -> CodeLeakage:
    """What the probes read of these labels from one of CODES.

    unseen: test identities are not in training, so images of one identity are no independent cases, and folds keep
    identities together. parts: name -> [N] bool over the whole test split.
    """
    tasks = tasks_of(coded, labels, name, seeds, unseen)
    clusters = coded.test.identity if unseen else None
    chosen = {key: mask[coded.test.rows] for key, mask in (parts or {}).items() if mask[coded.test.rows].any()}
    return read(tasks, limits, clusters, chosen, merit=rightness if name == "s" else leak, names=labels.names)


def tasks_of(coded: EncodedSplits, labels: Labels, name: str, seeds: int, unseen: bool) -> list[Task]:
    """A task for each seed; seeds differ in the probe's start, the order of its data and the noise of sampled z."""
    known = Parts(
        labels.train[coded.train.rows], labels.validation[coded.validation.rows], labels.test[coded.test.rows]
    )
    parts = (coded.train, coded.validation, coded.test)
    groups = Parts(*(part.identity if unseen else np.arange(len(part)) for part in parts))
    if not unseen:
        groups = groups._replace(validation=groups.validation + len(coded.train))
    # Unseen identities are told by labels that many of them share, whatever the image of theirs.
    alike = None if unseen else _alike(parts)
    drawn = name == "z_sampled"
    codes = [Parts(*of_seed) for of_seed in coded.codes(name, seeds)]
    codes = codes if drawn else codes[:1]
    return [Task(codes[seed if drawn else 0], known, labels.num_classes, groups, alike) for seed in range(seeds)]


def _alike(parts: tuple[EncodedImages, ...]) -> Parts | None:
    numbers = Parts(*(matched_factors(part.image_set) for part in parts))
    return numbers if numbers.train.any() and numbers.validation.any() else None


@dataclass(frozen=True)
class Leakage:
    """How well the identity is predicted from each code.

    target: what the probes predict, in words. num_images: that trained the probes, stopped their training, and scored.
    """

    target: str
    num_images: BySplit[int]
    z_mean: CodeLeakage
    z_sampled: CodeLeakage
    z_mean_and_log_var: CodeLeakage
    s: CodeLeakage


def measure_leakage(
    coded: EncodedSplits,
    labels: Labels | None,
    limits: SampleSizes,
    *,
    num_seeds: int,
    unseen_identities: bool,
    subsets: dict[str, np.ndarray],
) -> Leakage:
    """Trains the probes on every code, Table 1 of the paper.

    labels: what they predict; None: the identities of the test images, a part of which then trains the probes.
    subsets: name -> [N] bool over the whole test split, on which the strongest probe is evaluated as well.
    """
    unseen = unseen_identities
    if labels is None:
        coded, labels = among_test_images(coded.test)
        unseen, target = False, "the identity of test images, trained on other test images of the same identities"
    elif labels.names == ("identity",):
        target = "the identity"
    else:
        target = f"{', '.join(labels.names)} of unseen identities"
    codes = {
        name: read_code(coded, labels, name, limits, seeds=num_seeds, unseen=unseen, parts=subsets) for name in CODES
    }
    return Leakage(target, BySplit(*map(len, coded)), **codes)


def among_test_images(test: EncodedImages, seed: int = 0) -> tuple[EncodedSplits, Labels]:
    """Test images dealt out within each identity: six tenths to train probes, two to stop them, two to score."""
    names, identity = np.unique(test.identity, return_inverse=True)
    turn = np.empty(len(test), int)
    # Of any two neighbours one trains, so an identity of two images trains too.
    turn[grouped_by_identity(identity, np.random.default_rng(seed))] = np.arange(len(test)) % 5
    shares = (turn % 2 == 0, turn == 1, turn == 3)
    labels = np.zeros((int(test.rows.max()) + 1, 1), np.int32)
    labels[test.rows, 0] = identity
    coded = EncodedSplits(*(test.select(np.flatnonzero(share)) for share in shares))
    return coded, Labels(("identity",), (len(names),), labels, labels, labels)


def images_among_test_images(test: EncodedImages) -> tuple[Splits, Labels]:
    """The same parts as splits of images, with their labels."""
    coded, labels = among_test_images(test)
    parts = (coded.train, coded.validation, coded.test)
    known = (labels.test[part.rows] for part in parts)
    splits = Splits(coded.train.image_set, coded.validation.image_set, coded.test.image_set)
    return splits, Labels(labels.names, labels.num_classes, *known)
