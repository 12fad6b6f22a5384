"""The model: networks, losses, training step and latent transform, for Keras on TensorFlow."""

from dfv.keras_backend import check_backend

check_backend()
