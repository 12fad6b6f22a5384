"""The stages of the latent transform: LDA of s; PCA, flow, and rounding or a codebook of z, each a `Stage`."""
