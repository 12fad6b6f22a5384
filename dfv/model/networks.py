"""Encoder, decoder and adversary (supplementary material, "Network architectures")."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from dfv.config.schema import NetworkConfig
from dfv.model.codes import Codes, Posterior
from dfv.model.layers.batch_norm import batch_norm
from dfv.model.layers.convolution_stacks import (
    ImageShape,
    convolution_stack,
    level_widths,
    strided_sizes,
    transposed_stack,
)
from dfv.model.layers.image_convolutions import FromImage
from dfv.model.layers.wide_dense import WideDense

# Adam moves a weight by about its learning rate a step: too slow for one that is a log-variance itself.
LOG_VAR_SPEED = 10.0
# Shared variance starts small: at 1 the noise hides the means, and s learns alone what both should.
FIRST_LOG_VAR = -3.0
LEVELS_WITH_LABELS = 3  # of the adversary


class Encoder(layers.Layer):
    """Enc(x) = (s, posterior of z): one stack of convolutions with two fully connected heads."""

    def __init__(self, config: NetworkConfig, image_shape: ImageShape, dtype: Any = None):
        super().__init__(name="encoder", dtype=dtype)
        self.stack = keras.Sequential([*convolution_stack(config, image_shape, dtype), layers.Flatten(dtype=dtype)])
        self.s_head = layers.Dense(config.s_dim, dtype=dtype)
        self.z_head = WideDense(config.z_dim * (1 if config.shared_variance else 2), dtype=dtype)
        self.shared_variance = config.shared_variance
        if config.shared_variance:
            start = keras.initializers.Constant(FIRST_LOG_VAR / LOG_VAR_SPEED)
            self.log_var = self.add_weight(
                shape=(config.z_dim,), initializer=start, dtype="float32", autocast=False, name="log_var"
            )
        self(tf.zeros((1, *image_shape)))

    @property
    def shared_log_var(self) -> tf.Tensor:
        """Log-variance of the posterior of every image, [z_dim], if they share it."""
        return LOG_VAR_SPEED * tf.convert_to_tensor(self.log_var)

    def call(self, images: tf.Tensor, training: bool = False, z_of: int | None = None) -> Codes:
        """Codes of images [B, H, W, C] float32 in [-1, 1].

        z_of: compute z for the first z_of images only.
        """
        features = self.stack(images, training=training)
        s = tf.cast(self.s_head(features), tf.float32)
        z = tf.cast(self.z_head(features[:z_of], training=training), tf.float32)
        if self.shared_variance:
            mean, log_var = z, tf.broadcast_to(self.shared_log_var, tf.shape(z))
        else:
            mean, log_var = tf.split(z, 2, axis=-1)
        return Codes(s, Posterior(mean, log_var))


class PretrainedSEncoder(layers.Layer):
    """Two encoders: one of s, pre-trained and frozen with its BatchNorm statistics, and one of z.

    Supplementary material, "Using a pre-trained embedding".
    """

    def __init__(self, config: NetworkConfig, image_shape: ImageShape, dtype: Any = None):
        super().__init__(name="encoder", dtype=dtype)
        self.s_encoder = Encoder(config, image_shape, dtype)
        self.z_encoder = Encoder(config, image_shape, dtype)
        self.s_encoder.trainable = False
        self.z_encoder.s_head.trainable = False

    def call(self, images: tf.Tensor, training: bool = False, z_of: int | None = None) -> Codes:
        """Codes of images [B, H, W, C] float32 in [-1, 1]; z of the first `z_of` only."""
        return Codes(self.s_encoder(images, training=False).s, self.z_encoder(images, training=training, z_of=z_of).z)


class Decoder(layers.Layer):
    """Dec(z, s): a fully connected layer for each code, whose outputs are added, then the mirrored encoder stack.

    z_bias: whether the layer of z has a bias; in training the following BatchNorm has one.
    """

    def __init__(self, config: NetworkConfig, image_shape: ImageShape, dtype: Any = None, z_bias: bool = False):
        super().__init__(name="decoder", dtype=dtype)
        widths = level_widths(config.widths, image_shape)
        height, breadth = (strided_sizes(size, len(widths))[-1] for size in image_shape[:2])
        features = height * breadth * widths[-1]
        self.from_z = WideDense(features, use_bias=z_bias, dtype=dtype)
        self.from_s = layers.Dense(features, use_bias=False, dtype=dtype)
        self.stack = keras.Sequential(
            [
                layers.Reshape((height, breadth, widths[-1]), dtype=dtype),
                batch_norm(dtype),
                layers.ReLU(dtype=dtype),
                *transposed_stack(config, image_shape, dtype),
            ]
        )
        self(tf.zeros((1, config.z_dim)), tf.zeros((1, config.s_dim)))

    def call(self, z: tf.Tensor, s: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Images [B, H, W, C] float32 in [-1, 1] from z [B, z_dim] and s [B, s_dim]."""
        return self.images(self.from_z(z, training=training) + self.from_s(s), training)

    def images(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Images decoded from the sum of the outputs of `from_z` and `from_s`, [B, H W C] of the deepest map."""
        return tf.tanh(tf.cast(self.stack(features, training=training), tf.float32))


class Adversary(layers.Layer):
    """Adv(x, id): 5x5 convolutions of stride 2, three in the paper.

    A learned map per label is added to the outputs of the last three, so that maps of large images stay small.
    """

    def __init__(self, config: NetworkConfig, image_shape: ImageShape, label_sizes: tuple[int, ...], dtype: Any = None):
        super().__init__(name="adversary", dtype=dtype)
        self.convolutions: list[layers.Conv2D] = []
        self.norms, self.tables = [], []
        widths = level_widths(config.adversary_widths, image_shape)
        heights, breadths = (strided_sizes(size, len(widths))[1:] for size in image_shape[:2])
        for level, (width, height, breadth) in enumerate(zip(widths, heights, breadths, strict=True)):
            convolution = layers.Conv2D if self.convolutions else FromImage
            self.convolutions.append(convolution(width, 5, 2, padding="same", use_bias=False, dtype=dtype))
            self.norms.append(batch_norm(dtype))
            self.tables.append(
                [
                    self.add_weight(shape=(size, height, breadth, width), initializer="zeros", name="labels")
                    for size in (label_sizes if level >= len(widths) - LEVELS_WITH_LABELS else ())
                ]
            )
        self.logit = layers.Dense(1, dtype=dtype)
        self(tf.zeros((1, *image_shape)), tf.zeros((1, len(label_sizes)), tf.int32))

    @property
    def label_free_weights(self) -> list[keras.Variable]:
        """All weights but the maps of the labels."""
        return [weight for layer in (*self.convolutions, *self.norms, self.logit) for weight in layer.weights]

    def call(self, images: tf.Tensor, labels: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Logits [B] that images [B, H, W, C] are real images of the labels [B, L] int32."""
        return self.logits(images, self.maps(labels), training)

    def maps(self, labels: tf.Tensor) -> list[tf.Tensor]:
        """The maps that labels [B, L] add to each layer's output, [B, H, W, C] of that layer; 0 for no maps."""
        columns = tf.unstack(labels, axis=1)
        return [sum(map(tf.gather, tables, columns)) for tables in self.tables]

    def logits(self, images: tf.Tensor, maps: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Logits [B] that images [B, H, W, C] are real images of the labels with these `maps`."""
        x = images
        for convolution, norm, of_labels in zip(self.convolutions, self.norms, maps, strict=True):
            x = convolution(x)
            x = tf.nn.leaky_relu(norm(x + tf.cast(of_labels, x.dtype), training=training), 0.2)
        return tf.cast(
            self.logit(tf.reshape(x, (tf.shape(x)[0], x.shape[1] * x.shape[2] * x.shape[3])))[:, 0], tf.float32
        )
