"""Operations across replicas, which make noise and statistics functions of the global batch."""

import tensorflow as tf


def num_replicas() -> int:
    """Number of replicas that share the global batch."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def share(terms: list[tf.Tensor]) -> tf.Tensor:
    """Returns this replica's share of the loss that is the sum of these terms; the replicas' gradients are summed."""
    return tf.add_n([tf.zeros(()), *terms]) / num_replicas()


def gather(values: tf.Tensor) -> tf.Tensor:
    """Codes [3 B, ...] of [x1; x1'; x2] on this replica -> [3 G, ...] of the global batch, in the same order.

    The gradient is exact: a term of the gathered codes, divided by the number of replicas on each, sums to its own.
    """
    if num_replicas() == 1:
        return values
    by_image = tf.reshape(values, (3, -1, *values.shape[1:]))
    gathered = tf.distribute.get_replica_context().all_gather(by_image, axis=1)
    return tf.reshape(gathered, (-1, *values.shape[1:]))


def mean_over_replicas(values: tf.Tensor) -> tf.Tensor:
    """The mean of a tensor over replicas."""
    if num_replicas() == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, values)


def own_rows(values: tf.Tensor) -> tf.Tensor:
    """Returns this replica's part [n, B, ...] of a tensor for the global batch, [n, G, ...]."""
    if num_replicas() == 1:
        return values
    local = values.shape[1] // num_replicas()
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    return values[:, replica * local : (replica + 1) * local]
