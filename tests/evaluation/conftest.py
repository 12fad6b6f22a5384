"""A model and images of which everything is known: the left half shows the identity, the right half the factor."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dfv.config.schema import Config
from dfv.data.dataset import ImageSet, Splits
from dfv.evaluation import Results, evaluate
from dfv.evaluation.sampling import SampleSizes
from dfv.model.codes import Codes, Posterior
from dfv.model.latent.transform import LatentTransform

SIZE, HALF = 12, 6
TINY = SampleSizes(
    train_images=400,
    validation_images=120,
    test_images=200,
    probe_epochs=3,
    min_validation_images=0,
    min_validation_identities=0,
    oracle_images=400,
    oracle_epochs=3,
    oracle_steps=40,
    swaps=60,
    analogies=40,
    reconstructions=60,
    image_quality=60,
    dependence_images=80,
    permutations=30,
    retrieval_queries=40,
    code_pictures=40,
)


class HalvesCodec:
    """s is the left half of an image and z its right half, in [0, 1]; exchanged: the other way round."""

    image_shape = (SIZE, SIZE, 1)
    z_dim = SIZE * HALF
    config = Config.of(s_dim=SIZE * HALF, z_dim=SIZE * HALF)
    latent = LatentTransform(config.latent, SIZE * HALF, SIZE * HALF)

    def __init__(self, exchanged: bool = False, deviation: float = 0.0):
        self.exchanged, self.deviation = exchanged, deviation

    def encode(self, images: np.ndarray) -> Codes:
        halves = [half.reshape(len(images), -1) for half in np.split(np.float32(images) / 255, 2, axis=2)]
        s, z = reversed(halves) if self.exchanged else halves
        return Codes(s, Posterior(z, np.full_like(z, 2 * np.log(self.deviation + 1e-6))))

    def decode(self, s: np.ndarray, z: np.ndarray) -> np.ndarray:
        halves = [code.reshape(-1, SIZE, HALF, 1) for code in ((z, s) if self.exchanged else (s, z))]
        return np.rint(np.clip(np.concatenate(halves, axis=2), 0, 1) * 255).astype(np.uint8)

    def z_of_noise(self, noise: np.ndarray) -> np.ndarray:
        return noise

    def swap(self, images_s: np.ndarray, images_z: np.ndarray) -> np.ndarray:
        return self.decode(self.encode(images_s).s, self.encode(images_z).z.mean)

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        return self.swap(images, images)

    def sample(self, images_s: np.ndarray, seed: int) -> np.ndarray:
        z = np.random.default_rng(seed).standard_normal((len(images_s), self.z_dim))
        return self.decode(self.encode(images_s).s, z)

    def interpolate(self, a: np.ndarray, b: np.ndarray, weight_s: np.ndarray, weight_z: np.ndarray) -> np.ndarray:
        first, last = self.encode(a), self.encode(b)
        s = first.s + weight_s[:, None] * (last.s - first.s)
        return self.decode(s, first.z.mean + weight_z[:, None] * (last.z.mean - first.z.mean))


def draw(identity: np.ndarray, factor: np.ndarray, seed: int) -> np.ndarray:
    """[N, 12, 12, 1] uint8: a bright row at the identity's height at the left, at the factor's at the right."""
    images = np.random.default_rng(seed).integers(0, 40, (len(identity), SIZE, SIZE, 1), dtype=np.uint8)
    rows = np.arange(len(identity))
    images[rows, identity % SIZE, :HALF] = 220
    images[rows, factor, HALF:] = 220
    return images


def part(identities: np.ndarray, copies: int, seed: int) -> ImageSet:
    identity = np.repeat(identities, copies).astype(np.int32)
    factor = np.random.default_rng(seed).integers(0, 4, len(identity)).astype(np.int32)
    attributes = {"parity": identity % 2, "third": identity % 3}
    factors = {"height": factor, "angle": np.float32(30.0 * factor - 45)}
    return ImageSet(draw(identity, factor, seed), identity, attributes, factors)


@pytest.fixture(scope="session")
def make_splits() -> Callable[..., Splits]:
    """Splits of 6 known identities without attributes; unseen: 12, other ones in each split, with two attributes."""

    def make(unseen: bool = False) -> Splits:
        if unseen:
            who = (np.arange(12), np.arange(12, 18), np.arange(18, 30))
            train, validation, test = (part(names, 20, seed) for seed, names in enumerate(who))
            return Splits(train, validation, test, {"parity": 2, "third": 3})
        parts = (part(np.arange(6), copies, seed) for seed, copies in enumerate((50, 15, 25)))
        train, validation, test = (ImageSet(p.images, p.identity, {}, p.factors) for p in parts)
        return Splits(train, validation, test)

    return make


@pytest.fixture(scope="session")
def drawn() -> Callable[..., np.ndarray]:
    return draw


@pytest.fixture(scope="session")
def tiny() -> SampleSizes:
    return TINY


@pytest.fixture(scope="session")
def codec() -> Callable[..., HalvesCodec]:
    return HalvesCodec


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory, codec, make_splits, tiny) -> tuple[Path, Results]:
    """The folder of an evaluation with every measurement but analogies, and its results."""
    folder = tmp_path_factory.mktemp("run")
    model, splits = codec(deviation=0.1), make_splits(unseen=True)
    config = Config.of(dataset="smallnorb", widths=(32, 64, 128))
    return folder, evaluate(model, splits, config, folder, seeds=1, progress=False, limits=tiny)


@pytest.fixture
def old_results() -> dict[str, Any]:
    """What version 0.1.0 wrote of the quick start's model."""
    return json.loads((Path(__file__).parent / "results_0_1_0.json").read_text())
