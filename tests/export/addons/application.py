"""An application on TensorFlow Addons, which never had our code: it takes s from an export and weighs it by a loss.

    python application.py MODEL IMAGES.npz ANSWERS.npz

IMAGES.npz: image [N, H, W, C] uint8, identity [N] int32. Writes s, and the gradient that a layer over s learns by.
"""

import sys

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa


def main(model: str, images: str, answers: str) -> None:
    given, encode = np.load(images), tf.saved_model.load(model).signatures["encode"]
    s = encode(image=tf.constant(given["image"]))["s"]
    layer = tf.Variable(tf.eye(s.shape[1]))
    with tf.GradientTape() as tape:
        embedding = tf.math.l2_normalize(s @ layer, axis=1)
        loss = tfa.losses.triplet_semihard_loss(given["identity"], embedding)
    gradient = tape.gradient(loss, layer)
    versions = [tf.__version__, tfa.__version__]
    np.savez(answers, s=s.numpy(), loss=loss.numpy(), gradient=gradient.numpy(), versions=versions)


if __name__ == "__main__":
    main(*sys.argv[1:])
