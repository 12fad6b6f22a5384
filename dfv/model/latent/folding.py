"""Folds the PCA of a trained model's latent transform into its networks, and unfolds it. Not in the paper."""

from typing import TYPE_CHECKING

import numpy as np

from dfv.model.latent.pca import NoiseWhitenedPCA
from dfv.model.networks import LOG_VAR_SPEED

if TYPE_CHECKING:
    from dfv.model.codec import Codec


def copy_folded(pca: NoiseWhitenedPCA, source: "Codec", target: "Codec") -> None:
    """Sets the weights of `target`, a codec with `pca_is_folded`, so that it equals `source`, which has this PCA."""
    encoder, decoder = source.encoder, source.decoder
    kernel, bias = encoder.z_head.get_weights()
    *z_head, log_var = pca.folded_into_encoder(kernel, bias, LOG_VAR_SPEED * encoder.log_var.numpy())
    target.encoder.z_head.set_weights(z_head)
    target.encoder.log_var.assign(log_var / LOG_VAR_SPEED)
    target.decoder.from_z.set_weights(pca.folded_into_decoder(*decoder.from_z.get_weights()))
    unchanged = [(encoder, target.encoder, ("stack", "s_head")), (decoder, target.decoder, ("stack", "from_s"))]
    unchanged.append((source.latent, target.latent, tuple(stage.name for stage in target.latent.stages)))
    for original, copy, names in unchanged:
        for name in names:
            getattr(copy, name).set_weights(getattr(original, name).get_weights())
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
    for part, names in (("encoder", ("stack", "s_head")), ("decoder", ("stack", "from_s"))):
        for name in names:
            getattr(getattr(target, part), name).set_weights(getattr(getattr(source, part), name).get_weights())
