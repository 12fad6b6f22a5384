"""Images with the same pixels, which would make held-out images known from training."""

import hashlib
from collections.abc import Callable

import numpy as np
from absl import logging

from dfv.data.dataset import ImageSet, Splits


def first_equal(images: np.ndarray) -> np.ndarray:
    """Returns [N] int, for each image the row of the first one with the same pixels."""
    firsts: dict[bytes, int] = {}
    return np.array([firsts.setdefault(digest, row) for row, digest in enumerate(_digests(images))])


def report_copies(first: np.ndarray, identity: np.ndarray) -> None:
    """Logs the number of copies, and of those under two identities. first, identity: [N] int, see `first_equal`."""
    copies = np.flatnonzero(first != np.arange(len(first)))
    if len(copies):
        logging.warning(
            "Image %d has the same pixels as image %d; %d of %d images are such copies, %d of them of another identity."
            " Copies are kept in one split.",
            *(copies[0], first[copies[0]], len(copies), len(first)),
            np.count_nonzero(identity[copies] != identity[first[copies]]),
        )


def _numbered(split: str, row: int) -> str:
    return f"image {row} of {split}"


def report_seen(splits: Splits, names: Callable[[str, int], object] = _numbered) -> None:
    """Logs how many images of validation and test have the same pixels as one of train; only of images in memory.

    names: what to call the image in this row of this split.
    """
    parts: dict[str, ImageSet] = {"validation": splits.validation, "test": splits.test}
    if not all(isinstance(part.images, np.ndarray) for part in (splits.train, *parts.values())):
        return
    known = {digest: row for row, digest in enumerate(_digests(np.asarray(splits.train.images)))}
    for split, part in parts.items():
        seen = [(row, known[d]) for row, d in enumerate(_digests(np.asarray(part.images))) if d in known]
        if seen:
            logging.warning(
                "%d of %d %s images have the same pixels as a training image, such as %s and %s; results on them do not"
                " hold for new images.",
                *(len(seen), len(part), split, names(split, seen[0][0]), names("train", seen[0][1])),
            )


def _digests(images: np.ndarray) -> list[bytes]:
    return [hashlib.sha256(image.tobytes()).digest() for image in images]
