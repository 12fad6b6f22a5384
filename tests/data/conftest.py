"""A set of images that triplets are drawn from."""

import numpy as np
import pytest

from dfv.data.dataset import ImageSet
from tests.data.spelled_images import COUNTS, spelled


@pytest.fixture(scope="session")
def image_set() -> ImageSet:
    identity = np.random.default_rng(1).permutation(np.repeat(np.arange(len(COUNTS)), COUNTS)).astype(np.int32)
    attributes = {"hat": (identity % 3).astype(np.int32), "shoes": (identity // 2).astype(np.int32)}
    return ImageSet(spelled(len(identity)), identity, attributes)
