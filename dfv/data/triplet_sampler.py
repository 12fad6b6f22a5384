"""Samples triplets from random integers, in NumPy."""

from dataclasses import dataclass

import numpy as np

from dfv.data.dataset import DataError, ImageSet
from dfv.data.lazy_images import Images


@dataclass(frozen=True, eq=False)
class TripletSampler:
    """Samples triplets; images are sorted into one block per identity, identities with a single image last.

    Implemented in NumPy, since tf.data would copy captured tensors.

    order: [N] int32 (int64 from 2^31 images on), the row of the image at each place of the sorted order.
    start, count: [I] int64, each block's first place and its length.
    labels: [I, 1 + A] int32, each block's identity and attributes.
    num_paired: the number of places in blocks of at least 2.
    """

    images: Images
    order: np.ndarray
    start: np.ndarray
    count: np.ndarray
    labels: np.ndarray
    num_paired: int
    x2_any_identity: bool

    @classmethod
    def of(cls, image_set: ImageSet, x2_any_identity: bool) -> "TripletSampler":
        """Returns the sampler of a set; raises DataError without triplets or if attributes vary within an identity."""
        order, count = _sorted_blocks(image_set.identity)
        _check_triplets_exist(image_set.identity, count, x2_any_identity)
        start = np.cumsum(count) - count
        labels = [image_set.identity[order[start]]]
        for name, values in image_set.attributes.items():
            labels.append(values[order[start]])
            if np.any(values[order] != np.repeat(labels[-1], count)):
                raise DataError(
                    f"attribute {name!r} differs between images of one identity; pass it in `factors` instead."
                )
        table = np.stack(labels, axis=1).astype(np.int32)
        num_paired = int(count[count >= 2].sum())
        return cls(image_set.images, order, start, count, table, num_paired, x2_any_identity)

    def sample(self, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the images [3 B, H, W, C] of x1, x1' and x2, and the labels [B, 1 + A] of x1 and x2; see choose."""
        places, block1, block2 = self.choose(draws)
        return self.images[self.order[places]], self.labels[block1], self.labels[block2]

    def choose(self, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the places [3 B] of x1, x1' and x2, and the blocks [B] of x1 and of x2, from draws [B, 3] int64."""
        r1, r1_same, r2 = draws.T
        x1 = r1 % self.num_paired
        block1 = self._block_of(x1)
        start, count = self.start[block1], self.count[block1]
        x1_same = start + (x1 - start + 1 + r1_same % (count - 1)) % count
        if self.x2_any_identity:
            x2 = r2 % len(self.order)
        else:
            other = r2 % (len(self.order) - count)
            x2 = np.where(other < start, other, other + count)
        return np.concatenate([x1, x1_same, x2]), block1, self._block_of(x2)

    def _block_of(self, places: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.start, places, side="right") - 1


def _sorted_blocks(identity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows sorted by identity, identities with a single image last, and the size of each identity."""
    order = np.argsort(identity, kind="stable").astype(np.int32 if len(identity) < 2**31 else np.int64)
    by_place = identity[order]
    starts = np.flatnonzero(np.r_[len(order) > 0, by_place[1:] != by_place[:-1]])
    count = np.diff(starts, append=len(order))
    paired = np.repeat(count >= 2, count)
    return np.concatenate([order[paired], order[~paired]]), np.concatenate([count[count >= 2], count[count < 2]])


def _check_triplets_exist(identity: np.ndarray, count: np.ndarray, x2_any_identity: bool) -> None:
    if not np.any(count >= 2):
        raise DataError(
            f"expected an identity with at least 2 images, for x1 and x1'; got {len(identity)} images of"
            f" {len(count)} identities. Add images, or check their identity labels."
        )
    if len(count) == 1 and not x2_any_identity:
        raise DataError(
            f"expected at least 2 identities, for x1 and x2; all {len(identity)} images have identity {identity[0]}."
            " Add images of another identity, or set --x2_any_identity."
        )
