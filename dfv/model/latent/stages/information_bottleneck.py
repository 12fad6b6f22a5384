"""Merges clusters that reveal the identity: the agglomerative information bottleneck (Slonim, Tishby, NIPS 1999)."""

import numpy as np


def merge_clusters(centres: np.ndarray, counts: np.ndarray, identity_weight: float) -> np.ndarray:
    """Merges clusters into groups and returns the centre [K, D] float32 of each cluster's group.

    centres: [K, D], in units of the noise; counts: [K, I] int, images of each identity in each cluster, one or more in
    each cluster.
    Repeatedly merges the pair that lowers the objective most, until none does. The objective is the sum over images of
    the squared distance to their group's centre, in units of the noise, plus identity_weight times the number of images
    times the mutual information, in nats, of group and identity.
    """
    centres, counts, size = centres.astype(np.float64), counts.copy(), counts.sum(1)
    numbers, n_log_n = np.arange(len(counts)), _n_log_n(2 * size.sum())
    group = numbers.copy()

    def information(counts: np.ndarray) -> np.ndarray:
        """Images times mutual information, up to a constant that merging does not change."""
        return n_log_n[counts].sum(-1) - n_log_n[counts.sum(-1)]

    def costs(cluster: np.integer | int) -> np.ndarray:
        """The change of the objective by merging this cluster with each of the others, [K]."""
        distance = ((centres - centres[cluster]) ** 2).sum(-1) * size * size[cluster] / (size + size[cluster])
        lost = information(counts) + information(counts[cluster]) - information(counts + counts[cluster])
        return np.where((group == numbers) & (numbers != cluster), distance - identity_weight * lost, np.inf)

    cost = np.stack([costs(cluster) for cluster in numbers])
    while cost.min() < 0:
        kept, gone = divmod(int(cost.argmin()), len(cost))
        centres[kept] = np.average(centres[[kept, gone]], 0, size[[kept, gone]])
        for of_each in (size, counts):
            of_each[kept] += of_each[gone]
        group[group == gone] = kept
        cost[gone] = cost[:, gone] = np.inf
        cost[kept] = cost[:, kept] = costs(kept)
    return centres[group].astype(np.float32)


def _n_log_n(most: int) -> np.ndarray:
    """n log n of every n up to `most`, 0 at 0."""
    numbers = np.arange(most + 1)
    return numbers * np.log(np.maximum(numbers, 1))
