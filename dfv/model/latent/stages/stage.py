"""What the layers of the latent transform share, and the interface of a stage of z. Not in the paper."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dfv.model.codes import Posterior
from dfv.model.latent.training_codes import TrainingCodes


class FittedLayer(layers.Layer):
    """A layer that is fitted once, after training.

    Weights are float32 for networks of any precision, and not trainable.
    """

    def __init__(self, name: str):
        super().__init__(name=name, dtype="float32")

    def add_constant(self, name: str, shape: tuple[int, ...], initializer: str = "zeros") -> keras.Variable:
        """Adds a weight that is not trainable; only `fit` and loading change it."""
        return self.add_weight(shape=shape, initializer=initializer, trainable=False, autocast=False, name=name)


class Stage(FittedLayer):
    """A map of z. output_dim: dimension of the output of `forward`."""

    needs_fit = True

    def __init__(self, output_dim: int, name: str):
        super().__init__(name)
        self.output_dim = output_dim

    def fit(self, codes: TrainingCodes, seed: int, random: np.random.Generator) -> None:
        """Sets the weights from the training images' codes, transformed by the preceding stages.

        seed: of initial weights. random: generator of all random draws.
        """

    def forward(self, posterior: Posterior, s: tf.Tensor) -> Posterior:
        """The transformed posterior, [B, output_dim], of images whose specified code is s [B, s_dim]."""
        raise NotImplementedError

    def inverse(self, z: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
        """Returns the (approximate) input that `forward` maps to z [B, output_dim], to be decoded with s."""
        return z
