"""The interface of a stage of the latent transform. Not in the paper."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dfv.model.codes import Posterior
from dfv.model.latent.training_codes import TrainingCodes


class Stage(layers.Layer):
    """A map of z that is fitted after training and constant from then on.

    output_dim: the number of dimensions that `forward` gives.
    Weights are float32, whatever the precision of the networks, and no gradient changes them.
    """

    needs_fit = True

    def __init__(self, output_dim: int, name: str):
        super().__init__(name=name, dtype="float32")
        self.output_dim = output_dim

    def add_constant(self, name: str, shape: tuple[int, ...], initializer: str = "zeros") -> keras.Variable:
        """A weight that only `fit` and loading change."""
        return self.add_weight(shape=shape, initializer=initializer, trainable=False, autocast=False, name=name)

    def fit(self, codes: TrainingCodes, seed: int, random: np.random.Generator) -> None:
        """Sets the weights from the training images' codes, as the stages before this one give them.

        seed: of whatever the fit initialises. random: of whatever it draws.
        """

    def forward(self, posterior: Posterior, s: tf.Tensor) -> Posterior:
        """The transformed posterior, [B, output_dim], of images whose specified code is s [B, s_dim]."""
        raise NotImplementedError

    def inverse(self, z: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
        """The z that `forward` maps to z [B, output_dim], as close as what it discards allows, to be decoded with s."""
        return z
