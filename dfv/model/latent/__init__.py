"""What z goes through after training: PCA, a conditional flow, rounding or a codebook."""
