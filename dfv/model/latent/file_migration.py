"""Reads files of the earlier layout, which kept the stages' weights under the names of encoder and decoder."""

import h5py
import numpy as np

# Earlier place of each stage, its place now, and how many weights it has of its own; after them came its `fitted_at`.
PLACES = (
    ("decoder/axes", "latent/pca", 3),
    ("decoder/flow", "latent/flow", 3),
    ("encoder/codebook", "latent/codebook", 2),
)
# Weights that were as wide as z where the stage kept fewer dimensions, and the axis that was.
WIDE = (
    ("latent/pca/vars/1", 1),
    ("latent/pca/vars/2", 0),
    ("latent/flow/vars/2", 0),
    ("latent/codebook/vars/0", 1),
    ("latent/codebook/vars/1", 1),
)


def is_earlier_layout(weights: h5py.File) -> bool:
    """Whether a file of a model's weights has stages of the latent transform where they were kept earlier."""
    return any(earlier in weights for earlier, _, _ in PLACES)


def migrated(weights: h5py.File, output_dim: int) -> h5py.File:
    """The same weights in today's layout, in memory; output_dim: that of the latent transform."""
    moved = h5py.File("migrated", "w", driver="core", backing_store=False)
    for name in weights:
        weights.copy(name, moved)
    fitted_at = []
    for earlier, now, num_weights in PLACES:
        if earlier in moved:
            moved.require_group("latent")
            moved.move(earlier, now)
            fitted_at.append(int(moved[f"{now}/vars/{num_weights}"][()]))
            del moved[f"{now}/vars/{num_weights}"]
    for name, axis in WIDE:
        if name in moved:
            kept = np.take(moved[name][()], range(output_dim), axis)
            del moved[name]
            moved[name] = kept
    moved["latent/vars/0"] = np.int64(min(fitted_at))
    return moved
