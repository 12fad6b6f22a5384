"""Options of the latent transform."""

from dataclasses import dataclass

from dfv.config.fields import Checked, option


@dataclass(frozen=True)
class LatentConfig(Checked):
    """Transform of s and z at inference, fitted after training; disabled by default. Not in the paper."""

    lda_dim: int = option(
        0,
        "Number of linear discriminants of s kept at inference (LDA), which removes unspecified factors such as pose"
        " from s; 0 disables.",
        at_least=0,
    )
    pca_dim: int = option(
        0,
        "Number of principal components of z kept at inference (noise-whitened PCA); needs --shared_variance; 0"
        " disables.",
        at_least=0,
    )
    pca_identity_weight: float = option(
        0.0,
        "For few training images: multiple of the variance between identities that is subtracted from the variance of z"
        " when principal components are chosen, so that components in which identities differ are dropped; 0: plain"
        " PCA.",
        at_least=0,
    )
    flow_layers: int = option(
        0,
        "Number of coupling layers of a conditional normalizing flow, which removes from z the part that is predictable"
        " from s and is inverted for decoding; 0 disables.",
        at_least=0,
        at_most=64,
    )
    flow_units: int = option(128, "Units of each of the two hidden layers of a coupling layer.", at_least=1)
    flow_steps: int = option(
        4000,
        "Optimizer steps that fit the flow, with 512 codes each. Without --flow_to_normal, half as many additional"
        " steps first fit the density that all identities share.",
        at_least=1,
    )
    flow_to_normal: bool = option(
        False,
        "Fit the flow to map z to N(0, I) instead of to a density that all identities share. Removes more of the"
        " identity where z has no clusters, at some cost in reconstruction error.",
    )
    rounding_step: float = option(
        0.0,
        "Round z at inference to multiples of this many posterior standard deviations; with --codebook_size, only where"
        " the codebook is too coarse, as for a z that varies continuously; needs --shared_variance; 0 disables.",
        at_least=0,
        at_most=10,
    )
    codebook_size: int = option(
        0,
        "Maximum number of codebook entries; z at inference is replaced by the nearest entry. For a z with few distinct"
        " values, such as poses or frames; needs --shared_variance; 0 disables.",
        at_least=0,
        at_most=4096,
    )
    codebook_identity_weight: float = option(
        30.0,
        "Distortion (squared distance in units of the posterior variance) accepted when clusters are merged into"
        " codebook entries, per nat by which the mutual information of entry and identity falls. A higher weight gives"
        " fewer entries.",
        at_least=0,
    )
