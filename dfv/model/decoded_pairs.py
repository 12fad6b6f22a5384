"""The decoder's pass of a training step: every image that a loss needs, from pairs of codes (z, s)."""

from typing import NamedTuple

import tensorflow as tf

from dfv.model.networks import Decoder


class DecodedPairs(NamedTuple):
    """Images [n B, H, W, C] float32 in [-1, 1], by the codes that they are decoded from; n = 0 if no loss needs them.

    reconstruction: (z1, s1); with `reconstruct_all` also (z1', s1') and (z2, s2).
    swap_same: (z1, s1'), of the identity of x1; with `reconstruct_all` also (z1', s1).
    swap_other: (z1, s2), of the identity of x2.
    prior_sample: (z, s2) with z ~ N(0, I).
    """

    reconstruction: tf.Tensor
    swap_same: tf.Tensor
    swap_other: tf.Tensor
    prior_sample: tf.Tensor


def decode_pairs(
    decoder: Decoder,
    s: tf.Tensor,
    z: tf.Tensor,
    prior: tf.Tensor | None,
    *,
    num_z: int,
    reconstruct_all: bool,
    swaps_other: bool,
) -> DecodedPairs:
    """Decodes every pair in one pass of the decoder, in training mode.

    s: [3 B, s_dim] of [x1; x1'; x2].
    z: [num_z B, z_dim]: of x1 (num_z 1), or of all three (3).
    prior: [B, z_dim], z ~ N(0, I) of the prior samples; None: no prior samples.

    Each code passes through its first layer only once: that layer's outputs for z and s are added for each pair.
    """
    drawn = [] if prior is None else [prior]
    from_z = decoder.from_z(tf.concat([z, *drawn], 0), training=True)
    (z1, *others), (s1, s1_same, s2) = tf.split(from_z, num_z + len(drawn)), tf.split(decoder.from_s(s), 3)
    reconstruction, swap_same = [z1 + s1], [z1 + s1_same]
    if reconstruct_all:
        z1_same, z2 = others[:2]
        reconstruction += [z1_same + s1_same, z2 + s2]
        swap_same.append(z1_same + s1)
    swap_other = [z1 + s2] if swaps_other else []
    pairs = DecodedPairs(reconstruction, swap_same, swap_other, [others[-1] + s2] if drawn else [])
    images = decoder.images(tf.concat([pair for group in pairs for pair in group], 0), training=True)
    sizes = [len(group) * tf.shape(s1)[0] for group in pairs]
    return DecodedPairs(*tf.split(images, sizes, num=len(sizes)))
