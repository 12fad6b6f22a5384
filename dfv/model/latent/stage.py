"""The interface of a stage of the latent transform of z. Not in the paper."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dfv.model.codes import Posterior
from dfv.model.latent.training_codes import TrainingCodes


class Stage(layers.Layer):
    """A map of z that is fitted once, after training.

    output_dim: dimension of the output of `forward`.
    Weights are float32 for networks of any precision, and not trainable.
    """

    needs_fit = True

    def __init__(self, output_dim: int, name: str):
        super().__init__(name=name, dtype="float32")
        self.output_dim = output_dim

    def add_constant(self, name: str, shape: tuple[int, ...], initializer: str = "zeros") -> keras.Variable:
        """Adds a weight that is not trainable; only `fit` and loading change it."""
        return self.add_weight(shape=shape, initializer=initializer, trainable=False, autocast=False, name=name)

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
