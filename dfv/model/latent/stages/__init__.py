"""The stages of the latent transform: LDA of s; for z, each a `Stage`: PCA, flow, and rounding or a codebook."""
