"""Folds the PCA of a trained model's latent transform into its networks, and unfolds it. Not in the paper."""

from typing import TYPE_CHECKING

import keras
import numpy as np

from dfv.model.latent.stages.pca import NoiseWhitenedPCA
from dfv.model.networks import LOG_VAR_SPEED

if TYPE_CHECKING:
    from dfv.model.codec import Codec


def copy_folded(pca: NoiseWhitenedPCA, source: "Codec", target: "Codec") -> None:
    """Sets the weights of `target`, a codec with `pca_is_folded`, so that it equals `source`, which has this PCA."""
    encoder, decoder = source.encoder, source.decoder
    kernel, bias = encoder.z_head.get_weights()
    *z_head, log_var = pca.folded_into_encoder(kernel, bias, encoder.shared_log_var.numpy())
    target.encoder.z_head.set_weights(z_head)
    target.encoder.log_var.assign(log_var / LOG_VAR_SPEED)
    target.decoder.from_z.set_weights(pca.folded_into_decoder(*decoder.from_z.get_weights()))
    _copy_unchanged_layers(source, target)
    if target.latent.rounds is not None:
        target.latent.rounds.assign(source.latent.rounds)
    lda = ["lda"] if target.latent.lda else []
    _copy_layers(source.latent, target.latent, lda + [stage.name for stage in target.latent.stages])
    target.latent.fitted_at.assign(source.latent.fitted_at)


def copy_unfolded(source: "Codec", target: "Codec") -> None:
    """Sets the weights of encoder and decoder of `target` so that training goes on from `source`, a folded codec.

    The principal components become the first dimensions of raw z: they have the variance of the prior, and their
    posteriors are known. The remaining dimensions start as those of `target`, and the decoder ignores them at first.
    The constant that folding adds in the decoder's first layer is lost; BatchNorm, which follows it, has its own.
    """
    num_components = source.encoder.log_var.shape[0]
    for start, weights in zip(target.encoder.z_head.weights, source.encoder.z_head.get_weights(), strict=True):
        start.assign(np.concatenate([weights, start.numpy()[..., num_components:]], -1))
    log_var = target.encoder.log_var
    log_var.assign(np.concatenate([source.encoder.log_var.numpy(), log_var.numpy()[num_components:]]))
    from_z = np.zeros(target.decoder.from_z.kernel.shape, np.float32)
    from_z[:num_components] = source.decoder.from_z.get_weights()[0]
    target.decoder.from_z.set_weights([from_z])
    _copy_unchanged_layers(source, target)


def _copy_unchanged_layers(source: "Codec", target: "Codec") -> None:
    """Copies the layers of encoder and decoder that folding does not change."""
    _copy_layers(source.encoder, target.encoder, ["stack", "s_head"])
    _copy_layers(source.decoder, target.decoder, ["stack", "from_s"])


def _copy_layers(source: keras.Layer, target: keras.Layer, names: list[str]) -> None:
    for name in names:
        getattr(target, name).set_weights(getattr(source, name).get_weights())
