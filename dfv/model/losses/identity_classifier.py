"""A classifier of the identity from s, which the encoder supports. Not in the paper."""

import tensorflow as tf
from keras import layers


class IdentityClassifier(layers.Layer):
    """A linear layer from s to a logit for each identity."""

    def __init__(self, s_dim: int, num_identities: int):
        super().__init__(name="identity_classifier")
        self.logits = layers.Dense(num_identities)
        self.logits.build((None, s_dim))
        self.built = True

    def loss(self, s: tf.Tensor, identity: tf.Tensor) -> tf.Tensor:
        """Cross-entropy [N], in nats, of the identity [N] int32 predicted from s [N, s_dim]."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(identity, self.logits(s))

    def loss_on_images(self, images: tf.Tensor, identity: tf.Tensor, encoder: layers.Layer) -> tf.Tensor:
        """The same for the s of generated images [N, H, W, C] in [-1, 1].

        Only the images get a gradient: encoder and classifier could otherwise learn to see the identity in any image.
        """
        constant = tf.stop_gradient(images)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(constant)
            losses = self.loss(encoder(constant, z_of=1).s, identity)
        gradient = tf.stop_gradient(tape.gradient(losses, constant))
        # The second term is 0, with the gradient of the first.
        return tf.stop_gradient(losses) + tf.reduce_sum(gradient * (images - constant), (1, 2, 3))
