"""Trains Algorithm 1 in PyTorch for a number of minutes, and keeps the weights as those of dfv's networks."""

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from benchmarks.pytorch import weights
from benchmarks.pytorch.reference import Batch, SeparatePasses
from dfv.config.schema import Config
from dfv.data.dataset import ImageSet
from dfv.data.pipeline import triplets
from dfv.model.disentangler import Disentangler


def train(
    model: Disentangler,
    config: Config,
    images: ImageSet,
    minutes: Sequence[float],
    keep: Callable[[float, int], None],
) -> None:
    """Trains as public re-implementations do, from the weights of `model`, on triplets of these images.

    After each of the ascending `minutes` it copies the weights into `model` and calls `keep(minutes, steps)`; the
    time for that does not count.
    """
    torch.manual_seed(config.training.seed)
    training = SeparatePasses(config, model.image_shape, model.label_sizes[model.adversary_columns])
    weights.copy_to_pytorch(weights.all_pairs(model, training))
    batches, seconds, steps = _batches(config, images), 0.0, 0
    for mark in minutes:
        began = time.monotonic()
        while seconds + time.monotonic() - began < 60 * mark:
            training.step_with_fresh_noise(Batch.of(next(batches), model.adversary_columns))
            steps += 1
        seconds += time.monotonic() - began
        weights.copy_to_dfv(weights.all_pairs(model, training))
        keep(mark, steps)


def _batches(config: Config, images: ImageSet) -> Iterator[dict[str, np.ndarray]]:
    training = config.training
    return triplets(images, batch_size=training.batch_size, seed=training.seed).as_numpy_iterator()
