"""What axes, flow and codebook have in common: z goes through them in use alone, fitted once training is over."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers


class FittedLayer(layers.Layer):
    """A float32 layer that training leaves alone and a fit sets; `fitted_at` says at which step, -1: not yet."""

    def __init__(self, name: str):
        super().__init__(name=name, dtype="float32")

    def add_constant(self, name: str, shape: tuple[int, ...], initializer: Any, **options: Any) -> keras.Variable:
        """A weight that no gradient changes and mixed precision does not round."""
        return self.add_weight(
            shape=shape, initializer=initializer, trainable=False, autocast=False, name=name, **options
        )

    def end_unfitted(self) -> None:
        """The last step of `__init__`."""
        self.fitted_at = self.add_constant("fitted_at", (), keras.initializers.Constant(-1), dtype="int64")
        self.built = True

    def is_fitted(self) -> tf.Tensor:
        """Whether a fit has been there, a scalar."""
        return self.fitted_at >= 0
