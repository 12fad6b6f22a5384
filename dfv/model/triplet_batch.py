"""Inputs of a training step: images, labels and noise; all noise is a function of the global batch."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from dfv.model import replicas
from dfv.model.conversions import to_float

IMAGES, LABELS = ("x1", "x1_same", "x2"), ("labels1", "labels2")
POSTERIOR_NOISE, PRIOR_NOISE, PRIOR_TERM_NOISE, REPLAY_DRAWS, AUGMENTATION_DRAWS = range(5)


class Triplet(NamedTuple):
    """x1, x1_same, x2: [B, H, W, C] float32 in [-1, 1]; labels1, labels2: [B, L] int32, column 0 the identity."""

    x1: tf.Tensor
    x1_same: tf.Tensor
    x2: tf.Tensor
    labels1: tf.Tensor
    labels2: tf.Tensor

    @property
    def images(self) -> tf.Tensor:
        """[x1; x1'; x2], [3 B, H, W, C]."""
        return tf.concat([self.x1, self.x1_same, self.x2], 0)

    @property
    def labels(self) -> tf.Tensor:
        """The labels of `images`, [3 B, L]."""
        return tf.concat([self.labels1, self.labels1, self.labels2], 0)

    @property
    def global_batch(self) -> int:
        """Number of triplets over all replicas; raises ValueError if the batch size is not fixed."""
        size = self.x1.shape[0]
        if size is None and replicas.num_replicas() > 1:
            raise ValueError(
                f"expected batches of one size, which {replicas.num_replicas()} replicas share; received batches whose"
                " last may be smaller. Use dataset.batch(batch_size, drop_remainder=True), or dfv.triplets."
            )
        return (size or tf.shape(self.x1)[0]) * replicas.num_replicas()


class TripletFormat:
    """Required format of batches of triplets for a model.

    image_shape: (H, W, C) of the images.
    label_sizes: the number of classes of each column of the labels.
    """

    def __init__(self, image_shape: tuple[int, int, int], label_sizes: tuple[int, ...]):
        self.image_shape, self.label_sizes = image_shape, label_sizes

    def checked(self, data: Any, unseen_identities: bool = False) -> dict[str, tf.Tensor]:
        """Returns the triplets of a batch from Keras: a dict, or a tuple with only this dict, (x,).

        unseen_identities: whether labels beyond the model's are allowed, as in validation.

        Labels of any integer type become int32. Keys, shapes and dtypes are checked when a step is traced, and the
        range of the labels in every step, though not under XLA, for which `fit` checks data sets before. Raises
        ValueError, or tf.errors.InvalidArgumentError for labels in a traced step.
        """
        triplets = self.checked_spec(data)
        for name in () if unseen_identities else LABELS:
            self._check_range(name, triplets[name])
        return triplets | {name: tf.cast(triplets[name], tf.int32) for name in LABELS}

    def checked_spec(self, data: Any) -> dict[str, Any]:
        """The same for any objects that have shapes and dtypes, such as the element_spec of a tf.data.Dataset."""
        while isinstance(data, (tuple, list)) and data and all(other is None for other in data[1:]):
            data = data[0]
        faults = self._faults(data) if isinstance(data, dict) else [f"received {_described(data)}"]
        if faults:
            raise ValueError(f"expected batches of triplets, {self}; {'; '.join(faults)}. See dfv.triplets.")
        return {name: data[name] for name in (*IMAGES, *LABELS)}

    def _faults(self, data: dict[str, Any]) -> list[str]:
        missing = [name for name in (*IMAGES, *LABELS) if name not in data]
        if missing:
            return [f"received a dict of {', '.join(map(str, data)) or 'nothing'}, without {', '.join(missing)}"]
        shapes = dict.fromkeys(IMAGES, self.image_shape) | dict.fromkeys(LABELS, (len(self.label_sizes),))
        sizes = {tf.TensorShape(data[name].shape)[:1].as_list()[0] for name in shapes if len(data[name].shape)}
        faults = [
            f"received {name} {_described(data[name])}"
            for name, shape in shapes.items()
            if not tf.TensorShape((None, *shape)).is_compatible_with(data[name].shape)
            or not (tf.as_dtype(data[name].dtype) == tf.uint8 if name in IMAGES else _is_integer(data[name]))
        ]
        if not faults and len(sizes - {None}) > 1:
            faults = [f"received different batch sizes, {', '.join(f'{n} {data[n].shape[0]}' for n in shapes)}"]
        return faults

    def _check_range(self, name: str, labels: Any) -> None:
        limits, labels = np.asarray(self.label_sizes), tf.convert_to_tensor(labels)
        message = f"{name}: expected labels from 0 to {', '.join(str(size - 1) for size in limits)} by column; received"
        in_range = tf.reduce_all((labels >= 0) & (labels < tf.constant(limits, labels.dtype)))
        if not tf.executing_eagerly():
            tf.debugging.Assert(in_range, [message, labels])
        elif not in_range:
            low, high = (getattr(labels.numpy(), end)(0).tolist() for end in ("min", "max"))
            raise ValueError(f"{message} {', '.join(f'{a} to {b}' for a, b in zip(low, high, strict=True))}.")

    def __str__(self) -> str:
        images, labels = ", ".join(map(str, self.image_shape)), len(self.label_sizes)
        return f"a dict of {', '.join(IMAGES)} [B, {images}] uint8 and {', '.join(LABELS)} [B, {labels}] integer"


def _is_integer(value: Any) -> bool:
    return tf.as_dtype(value.dtype).is_integer


def _described(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_described, value))})"
    if isinstance(value, dict):
        return f"a dict of {', '.join(map(str, value))}"
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        return type(value).__name__
    return f"[{', '.join('B' if size is None else str(size) for size in value.shape)}] {tf.as_dtype(value.dtype).name}"


def read(data: dict[str, tf.Tensor]) -> Triplet:
    """The triplet of an element of `dfv.data.pipeline`."""
    x1, x1_same, x2 = (to_float(data[name]) for name in ("x1", "x1_same", "x2"))
    return Triplet(x1, x1_same, x2, data["labels1"], data["labels2"])


class Noise:
    """The random draws of one step: functions of (seed, step, position in the global batch)."""

    def __init__(self, seed: int, step: tf.Tensor, triplet: Triplet, z_dim: int):
        self._seed, self._step, self._batch, self._z_dim = seed, step, triplet.global_batch, z_dim

    def seed(self, purpose: int) -> tf.Tensor:
        """The seed [2] of the stateless draws for one purpose."""
        return tf.random.experimental.stateless_fold_in(tf.constant([self._seed, purpose], tf.int64), self._step)

    def _normal(self, purpose: int, groups: int) -> tf.Tensor:
        return tf.random.stateless_normal((groups, self._batch, self._z_dim), self.seed(purpose))

    def posterior(self, groups: int) -> tf.Tensor:
        """N(0, I) for this replica's images: `groups` times x1, x1', x2, [groups B, z_dim]."""
        return tf.reshape(replicas.own_rows(self._normal(POSTERIOR_NOISE, groups)), (-1, self._z_dim))

    def prior(self) -> tf.Tensor:
        """z ~ N(0, I) of this replica's prior samples, [B, z_dim]."""
        return replicas.own_rows(self._normal(PRIOR_NOISE, 1))[0]

    def prior_of_global_batch(self) -> tf.Tensor:
        """z ~ N(0, I), as many as the global batch has images, [3 G, z_dim]."""
        return tf.reshape(self._normal(PRIOR_TERM_NOISE, 3), (-1, self._z_dim))

    def augmentation(self, groups: int, columns: int) -> tf.Tensor:
        """Uniform in [0, 1), for `groups` times this replica's rows, [groups, B, columns]."""
        shape = (groups, self._batch, columns)
        return replicas.own_rows(tf.random.stateless_uniform(shape, self.seed(AUGMENTATION_DRAWS)))
