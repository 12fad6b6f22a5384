"""Published PyTorch checkpoints for MNIST as codecs, for dfv's evaluation.

They come from https://github.com/ananyahjha93: `disentangling-factors-of-variation-using-adversarial-training` (this
method) and `cycle-consistent-vae` (Jha et al., ECCV 2018). Their networks have one form: three convolutions of stride 2
with instance normalization and three linear heads, and a decoder with three transposed convolutions. PyTorch only reads
the files `encoder` and `decoder`; TensorFlow computes.
"""

import pickle
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import torch

from dfv.config.fields import ConfigError
from dfv.config.schema import Config
from dfv.model.codec import Codec
from dfv.model.codes import Codes, Posterior

IMAGE_SHAPE, NUM_CLASSES, DIM = (28, 28, 1), 10, 16
Weights = dict[str, np.ndarray]

# Names of the encoder's heads (mean and log-variance of z, s) and of the decoder's inputs (z, s).
NAMES = (
    ("style_mu", "style_logvar", "class_output", "style_input", "class_input"),
    ("varying_factor_mu", "varying_factor_logvar", "common_factor", "varying_factor", "common_factor"),
)


class PublishedCodec(Codec):
    """The networks of a folder `checkpoints`; raises ConfigError if they cannot be read."""

    def __init__(self, folder: Path, config: Config):
        self._weights = tuple(read_checkpoint(folder / name) for name in ("encoder", "decoder"))
        self._names = next((names for names in NAMES if f"{names[0]}.weight" in self._weights[0]), None)
        if self._names is None:
            raise ConfigError(f"{folder} has checkpoints of other networks; expected those of ananyahjha93 for MNIST.")
        super().__init__(config, IMAGE_SHAPE, (NUM_CLASSES,))

    def _build_networks(self, dtype: str) -> None:
        super()._build_networks(dtype)
        self.encoder = Encoder(self._weights[0], self._names[:3])
        self.decoder = Decoder(self._weights[1], self._names[3:])


class Encoder(keras.layers.Layer):
    """Images [B, 28, 28, 1] float32 in [-1, 1] to codes, as `dfv.model.networks.Encoder`."""

    def __init__(self, weights: Weights, heads: tuple[str, ...]):
        super().__init__(name="encoder")
        self._parameters, self._heads = weights, heads

    def call(self, images: tf.Tensor, training: bool = False, z_of: int | None = None) -> Codes:
        x = (images + 1.0) / 2.0
        for number in (1, 2, 3):
            weight, bias = parameters(self._parameters, f"conv_model.convolution_{number}")
            padded = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
            x = tf.nn.relu(instance_norm(tf.nn.conv2d(padded, weight.transpose(2, 3, 1, 0), 2, "VALID") + bias))
        features = tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [-1, 256])
        mean, log_var, s = (linear(features, self._parameters, head) for head in self._heads)
        return Codes(s, Posterior(mean[:z_of], log_var[:z_of]))


class Decoder(keras.layers.Layer):
    """z and s, both [B, 16] float32, to images [B, 28, 28, 1] float32 in [-1, 1]."""

    def __init__(self, weights: Weights, inputs: tuple[str, ...]):
        super().__init__(name="decoder")
        self._parameters, self._inputs = weights, inputs

    def call(self, z: tf.Tensor, s: tf.Tensor, training: bool = False) -> tf.Tensor:
        codes = [linear(code, self._parameters, name) for code, name in zip((z, s), self._inputs, strict=True)]
        x = tf.transpose(tf.reshape(tf.nn.leaky_relu(tf.concat(codes, 1), 0.2), [-1, 128, 2, 2]), [0, 2, 3, 1])
        for number, size in ((1, 6), (2, 14), (3, 30)):
            weight, bias = parameters(self._parameters, f"deconv_model.deconvolution_{number}")
            shape = [tf.shape(x)[0], size, size, weight.shape[1]]
            x = tf.nn.conv2d_transpose(x, weight.transpose(2, 3, 1, 0), shape, 2, "VALID") + bias
            x = tf.nn.leaky_relu(instance_norm(x), 0.2) if number < 3 else tf.sigmoid(x[:, 1:-1, 1:-1])
        return 2.0 * x - 1.0


def read_checkpoint(path: Path) -> Weights:
    """The arrays of a file that PyTorch saved, by name; raises ConfigError."""
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ConfigError(f"{path} is not a readable PyTorch checkpoint ({error}).") from error
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def parameters(weights: Weights, layer: str) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias of a layer, in PyTorch's order."""
    return weights[f"{layer}.weight"], weights[f"{layer}.bias"]


def linear(x: tf.Tensor, weights: Weights, layer: str) -> tf.Tensor:
    """A fully connected layer."""
    weight, bias = parameters(weights, layer)
    return tf.matmul(x, weight, transpose_b=True) + bias


def instance_norm(x: tf.Tensor) -> tf.Tensor:
    """With the statistics of each image, since the published programs never leave the training mode."""
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-5)
