"""Folds the PCA of a trained model's latent transform into its networks. Not in the paper."""

from typing import TYPE_CHECKING

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
