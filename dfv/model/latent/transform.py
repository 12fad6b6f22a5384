"""The latent transform: applied to s and z between the trained encoder and decoder. Not in the paper."""

import logging

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dfv.config.schema import LatentConfig
from dfv.model.codes import Codes, Posterior
from dfv.model.latent.stages.codebook import Codebook
from dfv.model.latent.stages.flow import ConditionalFlow
from dfv.model.latent.stages.lda import LinearDiscriminants
from dfv.model.latent.stages.pca import NoiseWhitenedPCA
from dfv.model.latent.stages.rounding import Rounding
from dfv.model.latent.stages.stage import Stage
from dfv.model.latent.training_codes import TrainingCodes

LOGGER = logging.getLogger(__name__)

NOT_FITTED = (
    "the latent transform (LDA of s; PCA, flow or codebook of z) is not fitted; call dfv.fit_latent(model,"
    " train_images) after training."
)

State = tuple[bool, bool]


class LatentTransform(layers.Layer):
    """LDA of s; then PCA, flow, and codebook or rounding of z, in this order; identity map until fitted.

    config: enables each; with both codebook and rounding, z is rounded if the codebook is too coarse for it. z_dim:
    dimension of the encoder's z. pca_is_folded: the PCA is part of the networks and is not applied here.
    """

    def __init__(self, config: LatentConfig, s_dim: int, z_dim: int, pca_is_folded: bool = False):
        super().__init__(name="latent", dtype="float32")
        self.lda = LinearDiscriminants(s_dim, config.lda_dim) if config.lda_dim else None
        dim, self.pca, self.flow, self.codebook, self.rounding = z_dim, None, None, None, None
        if config.pca_dim and not pca_is_folded:
            self.pca = NoiseWhitenedPCA(z_dim, config.pca_dim, config.pca_identity_weight)
            dim = self.pca.output_dim
        if config.flow_layers:
            self.flow = ConditionalFlow(
                config.flow_layers, config.flow_units, s_dim, dim, config.flow_steps, config.flow_to_normal
            )
        if config.codebook_size:
            self.codebook = Codebook(config.codebook_size, dim, config.codebook_identity_weight)
        if config.rounding_step:
            self.rounding = Rounding(dim, config.rounding_step)
        self.s_dim, self.output_dim = s_dim, dim
        self.needs_fit = bool(config.lda_dim or config.pca_dim or config.flow_layers or config.codebook_size)
        if self.needs_fit:
            self.fitted_at = self.add_weight(
                shape=(), initializer=keras.initializers.Constant(-1), dtype="int64", trainable=False, name="fitted_at"
            )
        self.rounds = None  # with both codebook and rounding, whether the fit has chosen rounding
        if self.codebook and self.rounding:
            self.rounds = self.add_weight(shape=(), initializer="zeros", dtype="bool", trainable=False, name="rounds")
        self.trainable, self.built = False, True

    @property
    def stages(self) -> list[Stage]:
        """The stages of z in the order in which `forward` applies them."""
        return [stage for stage in (self.pca, self.flow, self.quantizer) if stage is not None]

    @property
    def quantizer(self) -> Codebook | Rounding | None:
        """The last stage; of the two, the one that the fit has chosen. Read during tracing, as in `is_fitted`."""
        if self.rounds is None:
            return self.codebook or self.rounding
        with tf.init_scope():
            return self.rounding if self.rounds.numpy() else self.codebook

    def is_fitted(self, step: int | None = None) -> bool:
        """Whether the transform was fitted; if a step is given, at this step.

        True if no stage needs a fit. Read during tracing: a graph traced before the fit remains the identity map.
        """
        if not self.needs_fit:
            return True
        with tf.init_scope():
            fitted_at = int(self.fitted_at.numpy())
        return fitted_at >= 0 if step is None else fitted_at == step

    @property
    def state(self) -> State:
        """Whether it is fitted, and whether z is rounded: a graph that was traced in another state is out of date."""
        return self.is_fitted(), isinstance(self.quantizer, Rounding)

    def fit(self, codes: TrainingCodes, seed: int, random: np.random.Generator, step: int) -> None:
        """Fits LDA and each stage to the training images' raw codes, transformed by the preceding ones.

        seed, random: see `Stage.fit`. step: the number of training steps the encoder has had.
        """
        if self.lda:
            self.lda.fit(codes)
            codes = codes.with_s(self.lda)
        fitted = [stage for stage in (self.pca, self.flow, self.codebook) if stage is not None]
        for number, stage in enumerate(fitted):
            if number:
                codes = codes.transformed(fitted[number - 1].forward)
            stage.fit(codes, seed, random)
        if self.codebook and self.rounds is not None:
            self.rounds.assign(self.codebook.is_too_coarse)
            LOGGER.info("z is %s.", "rounded" if self.codebook.is_too_coarse else "replaced by codebook entries")
        self.fitted_at.assign(step)

    def reset(self) -> None:
        """Marks the transform as not fitted, because further training changes the encoder's codes."""
        if self.needs_fit:
            self.fitted_at.assign(-1)

    def forward(self, codes: Codes) -> Codes:
        """Returns the codes at inference, z [B, output_dim], from the encoder's, s [B, s_dim] and z [B, z_dim]."""
        if not self.is_fitted():
            return codes
        s, posterior = codes
        if self.lda:
            s = self.lda(s)
        for stage in self.stages:
            posterior = stage.forward(posterior, s)
        return Codes(s, posterior)

    def shared_log_var(self, log_var: tf.Tensor) -> tf.Tensor:
        """Log-variance of z at inference, [1, output_dim], from that of the encoder [z_dim], if all images share it."""
        any_code = Codes(tf.zeros((1, self.s_dim)), Posterior(tf.zeros_like(log_var[None]), log_var[None]))
        return self.forward(any_code).z.log_var

    def inverse(self, z: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
        """Returns the decoder's z [B, z_dim] for z at inference [B, output_dim] and s at inference."""
        z, s = (tf.cast(code, tf.float32) for code in (z, s))
        for stage in reversed(self.stages) if self.is_fitted() else ():
            z = stage.inverse(z, s)
        return z
