"""Swaps compared with the true image, which shows the identity of the s source and the factors of the z source."""

from dataclasses import dataclass

import numpy as np

from dfv.config.schema import ConfigError
from dfv.data.dataset import ImageSet
from dfv.data.sources.toy_sprites.characters import FACTORS
from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.metrics.image_similarity import Similarity, similarity, squared_error
from dfv.evaluation.sampling import SampleSizes, batches, pairs_of_other_identity
from dfv.model.codec import Codec

# Data sets in which every swap has a true image, and the factors by which it is found.
KNOWN_FOR = {"toy_sprites": tuple(FACTORS), "sprites": ("pose",)}


@dataclass(frozen=True)
class Analogies:
    """Swaps, with the mean of z and with a sample of it, and copies of either source, against the true images.

    better_source_mse: MSE of the source image of each pair that is closer to the true image.
    mse_ratio: MSE of the swaps divided by better_source_mse; below 1, a swap is better than either copy.
    changed_mse, changed_better_source_mse, changed_ratio: the same, only over pixels where the true image differs
      from at least one source, averaged over pairs.
    """

    pairs: int
    swap: Similarity
    swap_sampled: Similarity
    copy_of_s_source: Similarity
    copy_of_z_source: Similarity
    better_source_mse: float
    mse_ratio: float
    changed_mse: float
    changed_better_source_mse: float
    changed_ratio: float


def check_factors(dataset: str, part: ImageSet) -> None:
    """Raises ConfigError if the images cannot be of the data set that the config names."""
    if missing := set(KNOWN_FOR.get(dataset, ())) - set(part.factors):
        raise ConfigError(
            f"expected images of {dataset}, as set in the config; these lack its {', '.join(sorted(missing))}."
            ' For images of your own: Config.of(dataset="arrays").'
        )


def true_swaps(dataset: str, whole: ImageSet, s_sources: ImageSet, z_sources: ImageSet) -> np.ndarray:
    """[N, H, W, C] uint8: the characters of s_sources in the poses of z_sources, drawn or found in the whole split."""
    if dataset == "toy_sprites":
        from dfv.data.sources.toy_sprites import true_swap

        return true_swap(s_sources, z_sources)
    keys = _keys(whole.identity, whole.factors["pose"])
    order = np.argsort(keys)
    wanted = _keys(s_sources.identity, z_sources.factors["pose"])
    return whole.images[order[np.searchsorted(keys, wanted, sorter=order)]]


def _keys(identity: np.ndarray, pose: np.ndarray) -> np.ndarray:
    return identity.astype(np.int64) << 32 | pose


def measure_analogies(
    model: Codec, dataset: str, whole: ImageSet, test: EncodedImages, sizes: SampleSizes, seed: int = 0
) -> Analogies:
    """Compares the swaps of `sizes.analogies` pairs of different identities with their true images.

    dataset: one that analogies are KNOWN_FOR. whole: the split that the test images are from.
    """
    number = sizes.analogies
    s_rows, z_rows = pairs_of_other_identity(test.identity, number, seed)
    s_sources, z_sources = test.image_set.select(s_rows), test.image_set.select(z_rows)
    copies = [sources.images[np.arange(number)] for sources in (s_sources, z_sources)]
    truth = true_swaps(dataset, whole, s_sources, z_sources)
    swap = model.decode(test.s[s_rows], test.z_mean[z_rows])
    sampled = model.decode(test.s[s_rows], test.z_sampled(seed)[z_rows])
    return compare_with_truth(truth, swap, sampled, *copies)


def compare_with_truth(
    truth: np.ndarray, swap: np.ndarray, sampled: np.ndarray, s_copy: np.ndarray, z_copy: np.ndarray
) -> Analogies:
    """The errors and similarities of images [N, H, W, C] uint8; row i of each array belongs to pair i."""
    better = float(np.minimum(squared_error(s_copy, truth), squared_error(z_copy, truth)).mean())
    four = (truth, swap, s_copy, z_copy)
    errors = [_changed_errors(*(images[rows] for images in four)) for rows in batches(len(truth), 256)]
    changed, changed_better = (float(part.mean()) for part in np.concatenate(errors, axis=1))
    swap_similarity = similarity(swap, truth)
    return Analogies(
        pairs=len(truth),
        swap=swap_similarity,
        swap_sampled=similarity(sampled, truth),
        copy_of_s_source=similarity(s_copy, truth),
        copy_of_z_source=similarity(z_copy, truth),
        better_source_mse=better,
        mse_ratio=swap_similarity.mse / better,
        changed_mse=changed,
        changed_better_source_mse=changed_better,
        changed_ratio=changed / changed_better,
    )


def _changed_errors(truth: np.ndarray, swap: np.ndarray, s_copy: np.ndarray, z_copy: np.ndarray) -> np.ndarray:
    """[2, N]: MSE of the swap and of the better copy where any channel of the truth differs from either source's."""
    mask = np.any((truth != s_copy) | (truth != z_copy), axis=-1, keepdims=True)
    values = np.maximum(mask.sum((1, 2, 3)), 1) * truth.shape[-1]

    def error(images: np.ndarray) -> np.ndarray:
        return (mask * (images.astype(np.float64) - truth) ** 2).sum((1, 2, 3)) / values / 255.0**2

    return np.stack([error(swap), np.minimum(error(s_copy), error(z_copy))])
