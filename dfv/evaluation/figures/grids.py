"""The paper's figures as grids of test images, swaps, samples and interpolations."""

import numpy as np
from PIL import Image

from dfv.config.schema import DataConfig
from dfv.data.dataset import ImageSet
from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.metrics.analogies import KNOWN_FOR, true_swaps
from dfv.evaluation.metrics.retrieval import nearest
from dfv.evaluation.sampling import pairs_of_other_identity, pairs_of_same_identity
from dfv.model.codec import Codec
from dfv.model.image_grids import grid, one_of_each, swap_grid

GAP = 12  # pixels between groups of columns


def side_by_side(*pictures: np.ndarray) -> np.ndarray:
    """Pictures [h, w, 3] uint8 side by side, with white gaps, padded with white to equal height."""
    height = max(map(len, pictures))
    pictures = tuple(
        np.pad(picture, [(0, height - len(picture)), (0, 0), (0, 0)], constant_values=255) for picture in pictures
    )
    gap = np.full((height, GAP, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis=1)


def interpolation_grid(model: Codec, first: np.ndarray, last: np.ndarray, steps: int = 8) -> np.ndarray:
    """Figure 2b: real images [H, W, C] uint8 in two corners; z changes down the rows, s along the columns."""
    weight_z, weight_s = (part.ravel() for part in np.meshgrid(*[np.linspace(0, 1, steps)] * 2, indexing="ij"))
    a, b = (np.broadcast_to(image, (steps**2, *image.shape)) for image in (first, last))
    images = model.interpolate(a, b, weight_s, weight_z)
    images[0], images[-1] = first, last
    return grid(list(images.reshape(steps, steps, *first.shape)))


def retrieval_rows(test: EncodedImages, codes: np.ndarray, queries: np.ndarray, number: int = 8) -> np.ndarray:
    """Figure 4: each query row's image, a white gap, and its nearest neighbours by these codes [N, D]."""
    found = nearest(codes, queries, min(number, len(test) - 1))
    left = grid([test.image_set.images[queries[i : i + 1]] for i in range(len(queries))])
    return side_by_side(left, grid([test.image_set.images[rows] for rows in found]))


def generation_rows(model: Codec, sources: np.ndarray, number: int = 8, seed: int = 0) -> np.ndarray:
    """Figures 5 and 8: each real image [N, H, W, C] uint8, a white gap, and images of its s and z ~ N(0, I)."""
    samples = model.sample(np.repeat(sources, number, axis=0), seed).reshape(len(sources), number, *sources.shape[1:])
    return side_by_side(grid([sources[i : i + 1] for i in range(len(sources))]), grid(list(samples)))


def reconstruction_columns(model: Codec, test: EncodedImages, number: int = 12, seed: int = 0) -> np.ndarray:
    """Rows: test images, their reconstructions, and those with the s of another image of their identity."""
    s_rows, z_rows = pairs_of_same_identity(test.identity, number, seed)
    images, partners = test.image_set.images[z_rows], test.image_set.images[s_rows]
    return grid([images, model.reconstruct(images), partners, model.swap(partners, images)])


def analogy_columns(model: Codec, dataset: str, whole: ImageSet, test: EncodedImages, number: int = 12) -> np.ndarray:
    """Rows: the s source, the z source, the swap, the true image."""
    s_rows, z_rows = pairs_of_other_identity(test.identity, number, seed=1)
    sources = [test.image_set.select(rows) for rows in (s_rows, z_rows)]
    images = [source.images[np.arange(number)] for source in sources]
    return grid([*images, model.swap(*images), true_swaps(dataset, whole, *sources)])


def with_own_aspect(picture: np.ndarray, config: DataConfig, part: ImageSet) -> np.ndarray:
    """Restores the aspect ratio of the original photographs in a picture of square images."""
    if config.dataset != "yaleb":
        return picture
    width_to_height = 640 / 480 if "pose" in part.factors else 168 / 192
    height, width = picture.shape[:2]
    size = (round(2 * width * min(width_to_height, 1)), round(2 * height / max(width_to_height, 1)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def make_grids(
    model: Codec, config: DataConfig, whole: ImageSet, test: EncodedImages, seed: int = 0
) -> dict[str, np.ndarray]:
    """All grids that are defined for the data set, name -> [h, w, 3] uint8; whole: the complete test split."""
    images = one_of_each(test.image_set, 10, seed)
    queries = np.sort(np.random.default_rng(seed).permutation(len(test))[:8])
    result = {
        "swap": swap_grid(model, images),
        "interpolation": side_by_side(*(interpolation_grid(model, images[i], images[-1 - i]) for i in range(2))),
        "retrieval_s": retrieval_rows(test, test.s, queries),
        "retrieval_z": retrieval_rows(test, test.z_mean, queries),
        "generation": generation_rows(model, images[:8], seed=seed),
    }
    if np.unique(test.identity, return_counts=True)[1].max() > 1:
        result["reconstruction"] = reconstruction_columns(model, test, seed=seed)
    if config.dataset in KNOWN_FOR:
        result["analogies"] = analogy_columns(model, config.dataset, whole, test)
    return {name: with_own_aspect(picture, config, test.image_set) for name, picture in result.items()}
