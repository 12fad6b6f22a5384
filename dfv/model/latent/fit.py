"""Fits a trained model's latent transform to the codes of its training images. Not in the paper."""

import warnings

import numpy as np
import tensorflow as tf

from dfv.data.dataset import ImageSet
from dfv.model.codec import Codec
from dfv.model.conversions import to_float
from dfv.model.latent.training_codes import CHUNK, TrainingCodes

MAX_NUMBERS = 100_000_000  # of codes held in memory, 0.8 GB at most with their variances


def fit_latent(model: Codec, train_images: ImageSet, step: int | None = None) -> None:
    """Fits the parts of the model's latent transform (LDA, PCA, flow, codebook) that its config enables.

    `dfv.main` calls this at the end of a run; call it yourself after `Disentangler.fit`.
    step: the number of training steps the encoder has had; None: the config's num_steps. Raises ValueError for a model
    whose PCA was folded into its networks when it was saved.
    """
    if model.pca_is_folded:
        raise ValueError(
            "expected a model in training; received one whose PCA was folded into its networks when it was saved for"
            " use. Continue its run with --mode=train, which fits the latent transform at its end."
        )
    if not model.latent.needs_fit:
        return
    training = model.config.training
    random = np.random.default_rng(training.seed)
    codes = encode_training_images(model, train_images, random)
    model.latent.fit(codes, training.seed, random, training.num_steps if step is None else step)
    model.test_function = None  # Keras' own, if `evaluate` traced it before the fit


def fit_z(model: Codec, train: ImageSet, step: int | None = None) -> None:
    """Deprecated: the earlier name of `fit_latent`."""
    warnings.warn("dfv.fit_z is now called dfv.fit_latent", DeprecationWarning, stacklevel=2)
    fit_latent(model, train, step)


def encode_training_images(model: Codec, train: ImageSet, random: np.random.Generator) -> TrainingCodes:
    """Raw codes of the training images, or of a random subset if all would not fit into memory."""
    network = model.config.network
    num_images = min(len(train), MAX_NUMBERS // (network.z_dim + network.s_dim))
    rows = np.sort(random.choice(len(train), num_images, replace=False))
    encode = tf.function(lambda images: model.encoder(to_float(images)), autograph=False, reduce_retracing=True)
    codes = [encode(tf.constant(train.images[rows[start : start + CHUNK]])) for start in range(0, num_images, CHUNK)]
    mean = np.concatenate([code.z.mean for code in codes])
    if network.shared_variance:
        log_var = np.broadcast_to(codes[0].z.log_var[0], mean.shape)
    else:
        log_var = np.concatenate([code.z.log_var for code in codes])
    return TrainingCodes(np.concatenate([code.s for code in codes]), mean, np.exp(0.5 * log_var), train.identity[rows])
