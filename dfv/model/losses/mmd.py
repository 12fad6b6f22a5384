"""Kernel losses that make z independent of the identity. Not in the paper.

Both compare the codes of a batch with each other, so they take the codes of the *global* batch.
"""

import tensorflow as tf

BANDWIDTHS = (0.1, 0.25, 0.5, 1.0, 2.0)


def kernel(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """k(a_i, b_j), [N, M]: the sum over h of exp(-|a_i - b_j|^2 / (2 h D)), for a [N, D] and b [M, D]."""
    squares = tf.reduce_sum(a**2, -1)[:, None] + tf.reduce_sum(b**2, -1)[None, :]
    distances = tf.nn.relu(squares - 2.0 * tf.matmul(a, b, transpose_b=True)) / a.shape[-1]
    return tf.add_n([tf.exp(distances / (-2.0 * bandwidth)) for bandwidth in BANDWIDTHS])


def same_identity_pairs(identity: tf.Tensor) -> tf.Tensor:
    """[N, N] float32, 1 where two different examples share their identity [N] int32."""
    same = tf.cast(identity[:, None] == identity[None, :], tf.float32)
    return tf.linalg.set_diag(same, tf.zeros_like(same[0]))


def identity_mmd(z: tf.Tensor, identity: tf.Tensor, prior: tf.Tensor) -> tf.Tensor:
    """E[k(z, z') | same identity] - 2 E[k(z, p)], a scalar; z [N, D] ~ q(z | x), prior [N, D] ~ N(0, I).

    Up to a constant, the mean over identities of the squared maximum mean discrepancy (MMD) between their z and the
    prior. It is minimal if z has the prior's distribution for every identity, and hence is independent of the identity.
    """
    return _mean_over(kernel(z, z), same_identity_pairs(identity)) - 2.0 * tf.reduce_mean(kernel(z, prior))


def mean_kernel(mean: tf.Tensor, identity: tf.Tensor) -> tf.Tensor:
    """E[k(m, m') | same identity] - E[k(m, m') | any two], a scalar; m: the means [N, D], standardised over the batch.

    About 0 if the means of z do not depend on the identity.
    """
    centre, variance = tf.nn.moments(mean, axes=[0])
    similarity = kernel(*[(mean - centre) * tf.math.rsqrt(variance + 1e-6)] * 2)
    any_two = tf.linalg.set_diag(tf.ones_like(similarity), tf.zeros_like(similarity[0]))
    return _mean_over(similarity, same_identity_pairs(identity)) - _mean_over(similarity, any_two)


def _mean_over(values: tf.Tensor, pairs: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(values * pairs) / tf.reduce_sum(pairs)
