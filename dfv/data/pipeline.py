"""Triplets (x1, x1', x2) as a tf.data.Dataset: a function of (seed, step, position in the global batch)."""

import weakref
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from dfv.config.schema import ConfigError
from dfv.data.augmentation import augment
from dfv.data.dataset import DataError, Images, ImageSet
from dfv.data.interpreter_exit import reading

DRAW, AUGMENT = 1001, 1002  # what a seed is for; apart from the model's
PARALLEL_BATCHES = 2
PREFETCHED_BATCHES = 4


def triplets(
    image_set: ImageSet,
    *,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    x2_any_identity: bool = False,
    augment_shift: int = 0,
    augment_flip: bool = False,
    input_context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Endless batches of triplets, from `first_step` on.

    x1 is uniform over the images whose identity has at least 2, x1_same over the others of its identity, x2 over the
    images of other identities (`x2_any_identity`: over all). A batch has
      "x1", "x1_same", "x2": [B, H, W, C] uint8;
      "labels1" (of x1 and x1_same), "labels2": [B, 1 + A] int32, the identity, then each attribute.

    `batch_size` is the global one. Under a strategy,
      strategy.distribute_datasets_from_function(lambda context: triplets(..., input_context=context))
    gives replica r of R the rows r B to (r + 1) B of each step's global batch, B = batch_size / R: the global batch is
    the same for any number of replicas and workers. A worker's dataset has the batches of its replicas in turn.

    Raises DataError if there is no such triplet, ConfigError if R does not divide `batch_size`. An image that cannot
    be read surfaces as tf.errors.InvalidArgumentError with the DataError's text.
    """
    context = input_context or tf.distribute.InputContext()
    if batch_size % context.num_replicas_in_sync:
        raise ConfigError(
            f"--batch_size={batch_size} cannot be shared equally by {context.num_replicas_in_sync} replicas;"
            " choose a multiple of their number."
        )
    source = Source.of(image_set, x2_any_identity)
    replicas_here = context.num_replicas_in_sync // context.num_input_pipelines
    replica_rows = batch_size // context.num_replicas_in_sync

    @tf.autograph.experimental.do_not_convert  # nothing to convert, and it takes a while
    def batch(element: tf.Tensor) -> dict[str, tf.Tensor]:
        step = element // replicas_here
        replica = context.input_pipeline_id * replicas_here + element % replicas_here

        def own_draws(purpose: int, num: int) -> tf.Tensor:
            draws = _draws((batch_size, num), seed, purpose, step)[replica * replica_rows :][:replica_rows]
            return tf.ensure_shape(draws, (replica_rows, num))

        images, labels1, labels2 = source.read(own_draws(DRAW, 3))
        if augment_shift or augment_flip:
            draws = tf.reshape(own_draws(AUGMENT, 9), (replica_rows, 3, 3))
            draws = tf.reshape(tf.transpose(draws, (1, 0, 2)), (-1, 3))
            images = augment(images, draws, augment_shift, augment_flip)
        x1, x1_same, x2 = tf.split(images, 3)
        return {"x1": x1, "x1_same": x1_same, "x2": x2, "labels1": labels1, "labels2": labels2}

    elements = tf.data.Dataset.counter(first_step * replicas_here)
    # There is nothing to tune, and a program that ends with an iterator may wait for the thread that does, for minutes.
    options = tf.data.Options()
    options.autotune.enabled = False
    return elements.map(batch, PARALLEL_BATCHES, deterministic=True).prefetch(PREFETCHED_BATCHES).with_options(options)


@dataclass(frozen=True, eq=False)
class Source:
    """The images in places sorted into blocks of one identity each, identities with a single image last.

    All in NumPy, since tf.data makes copies of the tensors that it captures.

    order: [N] int32 (int64 from 2^31 images on), the image at each place: all that grows with the images.
    start, count: [I] int64, each block's first place and its length.
    labels: [I, 1 + A] int32, each block's identity and attributes.
    num_paired: the places in blocks of at least 2.
    """

    images: Images
    order: np.ndarray
    start: np.ndarray
    count: np.ndarray
    labels: np.ndarray
    num_paired: int
    x2_any_identity: bool

    @classmethod
    def of(cls, image_set: ImageSet, x2_any_identity: bool) -> "Source":
        """Raises DataError if no triplet can be drawn, or if an attribute varies within an identity."""
        order, count = _sorted_blocks(image_set.identity)
        _check_triplets_exist(image_set.identity, count, x2_any_identity)
        start = np.cumsum(count) - count
        labels = [image_set.identity[order[start]]]
        for name, values in image_set.attributes.items():
            labels.append(values[order[start]])
            if np.any(values[order] != np.repeat(labels[-1], count)):
                raise DataError(f"attribute {name!r} differs between images of one identity; make it one of `factors`.")
        table = np.stack(labels, axis=1).astype(np.int32)
        num_paired = int(count[count >= 2].sum())
        return cls(image_set.images, order, start, count, table, num_paired, x2_any_identity)

    def read(self, draws: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The images [3 B, H, W, C] of x1, x1' and x2, and the labels [B, 1 + A] of x1 and x2, by draws [B, 3] int64.

        The dataset that reads them has to keep this object: TensorFlow never lets go of a function that it was given
        for numpy_function, so that function must not hold the images.
        """
        this, num = weakref.proxy(self), draws.shape[0]
        types = (tf.uint8, tf.int32, tf.int32)
        images, labels1, labels2 = tf.numpy_function(lambda d: this._read(d), [draws], types, stateful=False)
        labels_shape = (num, self.labels.shape[1])
        images = tf.ensure_shape(images, (3 * num, *self.images.shape[1:]))
        return images, tf.ensure_shape(labels1, labels_shape), tf.ensure_shape(labels2, labels_shape)

    def _read(self, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        with reading():
            places, block1, block2 = self.choose(draws)
            return self.images[self.order[places]], self.labels[block1], self.labels[block2]

    def choose(self, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The places [3 B] of x1, x1' and x2, and the blocks [B] of x1 and of x2."""
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
    """The images in order of identity, those of identities with a single image last, and each identity's count."""
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
            f" {len(count)} identities. Add images, or check how they were put together by identity."
        )
    if len(count) == 1 and not x2_any_identity:
        raise DataError(
            f"expected at least 2 identities, for x1 and x2; all {len(identity)} images have identity {identity[0]}."
            " Add images of another, or set --x2_any_identity."
        )


def draws_of_step(batch_size: int, seed: int, step: tf.Tensor) -> tf.Tensor:
    """What the triplets of a global batch are chosen by, [B, 3] int64; see `Source.choose`."""
    return _draws((batch_size, 3), seed, DRAW, step)


def _draws(shape: tuple[int, ...], seed: int, purpose: int, step: tf.Tensor) -> tf.Tensor:
    """Integers over all of int64, so that remainders of up to 10^9 are uniform to 1 part in 10^10."""
    step_seed = tf.random.experimental.stateless_fold_in(tf.constant([seed, purpose], tf.int64), step, alg="philox")
    return tf.random.stateless_uniform(shape, step_seed, minval=None, maxval=None, dtype=tf.int64, alg="philox")
