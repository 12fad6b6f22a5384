"""Two logical CPUs before TensorFlow starts, and what every test may share."""

import os
import resource

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# On a busy machine, threads of scikit-learn's and of NumPy's small sums spend most of the time waiting for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# With a core for each of pytest-xdist's workers, threads of one do not wait for those of another.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})

import dfv  # noqa: F401, I001  Before TensorFlow: it turns oneDNN on.

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

# Rewriting a graph costs more than running it a few times. Programs that tests start as processes still do it.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})

Batch = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def mirrored() -> tf.distribute.Strategy:
    """Two replicas on logical CPUs; one for the process, since a second one would break the first."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice())


@pytest.fixture(scope="session")
def processor_seconds_of_children() -> Callable[[], float]:
    """Of those that have ended; unlike the time on the clock it leaves out what else the machine does."""

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    return used


@pytest.fixture(scope="session")
def triplet_batch() -> Callable[..., Batch]:
    """Makes a batch of triplets of random images, in the form that `dfv.data.pipeline` gives, as NumPy arrays."""
    return _triplet_batch


def _triplet_batch(
    batch_size: int = 8,
    image_shape: tuple[int, int, int] = (12, 12, 1),
    label_sizes: tuple[int, ...] = (3, 2, 4),
    seed: int = 0,
) -> Batch:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (3, batch_size, *image_shape), dtype=np.uint8)
    identity1 = random.integers(0, label_sizes[0], batch_size)
    identity2 = (identity1 + random.integers(1, label_sizes[0], batch_size)) % label_sizes[0]
    labels1, labels2 = (
        np.stack([identity % size for size in label_sizes], 1).astype(np.int32) for identity in (identity1, identity2)
    )
    return {"x1": images[0], "x1_same": images[1], "x2": images[2], "labels1": labels1, "labels2": labels2}
