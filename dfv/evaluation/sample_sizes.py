"""How many images, pairs and epochs an evaluation uses."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class SampleSizes:
    """Upper limits, with defaults for small standard errors in a few minutes on a CPU.

    Where a set has more, a random sample with a fixed seed is used.
    """

    train_images: int = 50_000  # of the probes
    train_numbers: int = 10_000_000  # train_images times the dimension of z
    validation_images: int = 5_000
    test_images: int = 10_000
    probe_epochs: int = 100
    min_validation_images: int = 500  # with fewer, the strongest probe is chosen by cross-validation
    min_validation_identities: int = 30  # likewise, where test identities are not in training
    oracle_images: int = 50_000
    oracle_epochs: int = 15
    oracle_steps: int = 500  # at least; small sets are gone through more often for them
    oracle_pixels: int = 300_000_000  # images times epochs times height times width
    swaps: int = 5_000
    analogies: int = 5_000
    reconstructions: int = 5_000
    dependence_images: int = 2_000
    permutations: int = 200
    retrieval_queries: int = 1_000
    code_pictures: int = 2_000

    def probe_train_images(self, z_dim: int) -> int:
        """The number of training images whose codes the probes are trained on."""
        return min(self.train_images, max(self.train_numbers // z_dim, 1_000))

    def oracle_training(self, num_images: int, height: int, width: int, batch: int) -> tuple[int, int]:
        """The numbers of training images and of epochs of an oracle classifier."""
        passes = self.oracle_pixels // (height * width)
        images = min(num_images, self.oracle_images, max(passes // 5, 1_000))
        at_least = math.ceil(self.oracle_steps / max(images // batch, 1))
        return images, max(min(self.oracle_epochs, passes // images), at_least)
