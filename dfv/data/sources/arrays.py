"""Data sets from NumPy arrays."""

from collections.abc import Mapping

import numpy as np

from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError, ImageSet, Splits, as_array, check_measure
from dfv.data.equal_images import first_equal, report_copies
from dfv.data.preprocessing import preprocess


def from_arrays(
    images: np.ndarray,
    identity: np.ndarray,
    *,
    attributes: Mapping[str, np.ndarray] | None = None,
    factors: Mapping[str, np.ndarray] | None = None,
    validation_fraction: float = 0.1,
    test_fraction: float = 0.1,
    seed: int = 0,
) -> Splits:
    """Splits images at random within each identity, by the given fractions.

    If one image of an identity would be held out, two are held out if two remain for training, since a
    triplet needs two. Images with the same pixels are in one split.

    images: [N, H, W, C] uint8, C = 1 or 3, copied. identity: [N] integers or strings.
    attributes: name -> [N] integers or strings, constant within an identity.
    factors: name -> [N] integers or strings (classes), or finite floats (continuous).
    Raises DataError for arrays of other shapes or types and for identities with fewer than two training images.
    """
    images, identity = as_array("images", images), as_array("identity", identity)
    attributes = {name: as_array(name, values) for name, values in (attributes or {}).items()}
    factors = {name: as_array(name, values) for name, values in (factors or {}).items()}
    _check(images, identity, attributes, factors)
    if min(validation_fraction, test_fraction) < 0 or validation_fraction + test_fraction >= 1:
        raise DataError(
            "expected validation_fraction and test_fraction of at least 0 with a sum below 1,"
            f" got {validation_fraction} and {test_fraction}."
        )
    whole = ImageSet(
        images,
        identity if identity.dtype.kind in "iu" else _classes(identity),
        {name: _classes(values) for name, values in attributes.items()},
        {n: v.astype(np.float32) if v.dtype.kind == "f" else _classes(v) for n, v in factors.items()},
    )
    first = first_equal(images)
    report_copies(first, whole.identity)
    originals = np.unique(first)
    rows = _rows_of_splits(whole.identity[originals], validation_fraction, test_fraction, seed)
    rows = [np.flatnonzero(np.isin(first, originals[part])) for part in rows]
    train, validation, test = (whole.select(part).load_into_memory() for part in rows)
    sizes = {name: int(values.max()) + 1 for name, values in whole.attributes.items()}
    return preprocess(Splits(train, validation, test, sizes), DataConfig())


def load(config: DataConfig) -> Splits:
    """Raises DataError, since images of --dataset=arrays are not stored."""
    raise DataError(
        f"--dataset={config.dataset} means images that a Python program passes in (dfv.data.from_arrays, from_tfds);"
        " they are not stored. Choose another data set, such as --dataset=tfds, or put the images into folders for"
        " --dataset=image_folder."
    )


def _classes(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def _check(
    images: np.ndarray, identity: np.ndarray, attributes: dict[str, np.ndarray], factors: dict[str, np.ndarray]
) -> None:
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] not in (1, 3) or not images.size:
        raise DataError(
            f"images: expected [N, H, W, C] uint8 with C = 1 or 3, got {images.shape} {images.dtype}."
            " Grey images need a last axis: images[..., None]."
        )
    for name, values in {"identity": identity, **attributes, **factors}.items():
        kinds = "iuUSf" if name in factors else "iuUS"
        if values.shape != (len(images),) or values.dtype.kind not in kinds:
            raise DataError(
                f"{name}: expected [{len(images)}] integers or strings{' or floats' if 'f' in kinds else ''},"
                f" one for each image, got {values.shape} {values.dtype}."
            )
        if values.dtype.kind == "f":
            check_measure(name, values)
    _, first, inverse = np.unique(identity, return_index=True, return_inverse=True)
    for name, values in attributes.items():
        differs = values != values[first][inverse]
        if differs.any():
            raise DataError(
                f"{name}: identity {identity[differs][0]} has several values; an attribute is constant within an"
                " identity. Pass it in factors instead."
            )


def _rows_of_splits(
    identity: np.ndarray, validation_fraction: float, test_fraction: float, seed: int
) -> list[np.ndarray]:
    """Returns the rows of train, validation and test, each in ascending order."""
    shuffled = np.random.default_rng(seed).permutation(len(identity))
    rows = shuffled[np.argsort(identity[shuffled], kind="stable")]
    _, first, count = np.unique(identity[rows], return_index=True, return_counts=True)
    rank = np.arange(len(rows)) - np.repeat(first, count)
    numbers = np.rint(np.multiply.outer(count, [test_fraction, validation_fraction]))
    for column in (1, 0):  # validation first: training draws triplets from it
        numbers[(numbers[:, column] == 1) & (count - numbers.sum(1) >= 3), column] = 2
    num_test, num_validation = numbers.T
    is_test = rank < np.repeat(num_test, count)
    is_train = rank >= np.repeat(num_test + num_validation, count)
    return [np.sort(rows[chosen]) for chosen in (is_train, ~is_train & ~is_test, is_test)]
