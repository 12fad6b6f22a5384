"""Transform at inference: LDA of s; noise-whitened PCA, conditional flow, rounding or codebook of z. Not in the paper.

Encoder and decoder are trained on raw z. A `LatentTransform` is a chain of stages, each with `fit`, `forward` and
`inverse`; `fit_latent` fits it once to the codes of the trained encoder, and `dfv.model.codec.Codec` applies it.
"""
