"""Distribution of a run: on one device, all GPUs of a machine (or logical CPUs), or several workers.

Its strategy, and the batches of triplets that the replicas share.
"""

import contextlib
import json
import os
from typing import NamedTuple

import tensorflow as tf

from dfv.config.schema import Config, ConfigError, TrainingConfig
from dfv.data.dataset import DataError, Splits
from dfv.data.pipeline import triplets


def make_strategy(config: TrainingConfig) -> tf.distribute.Strategy:
    """Returns the strategy of `config`; call this once, before any other TensorFlow operation."""
    if config.strategy == "mirrored":
        strategy = _mirrored(config.num_replicas)
    elif config.strategy == "multi_worker":
        strategy = _multi_worker()
    else:
        strategy = tf.distribute.get_strategy()
    if config.batch_size % strategy.num_replicas_in_sync:
        raise ConfigError(
            f"--batch_size={config.batch_size} cannot be shared by {strategy.num_replicas_in_sync} replicas; "
            "use a multiple of their number."
        )
    return strategy


def _mirrored(num_replicas: int) -> tf.distribute.Strategy:
    devices = tf.config.list_logical_devices("GPU")
    if devices:
        return tf.distribute.MirroredStrategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.list_logical_devices("CPU")) < num_replicas:
        raise ConfigError(
            f"--strategy=mirrored with --num_replicas={num_replicas}: logical CPUs must be created before {cpu.name} is"
            " used; train in a new process."
        )
    names = [device.name for device in tf.config.list_logical_devices("CPU")[:num_replicas]]
    # The default reduction breaks several steps per call on logical CPUs.
    return tf.distribute.MirroredStrategy(names, cross_device_ops=tf.distribute.ReductionToOneDevice())


def make_logical_cpus(config: TrainingConfig) -> None:
    """Splits the CPU into the logical devices of a mirrored run without GPUs."""
    if config.strategy == "mirrored" and not tf.config.list_physical_devices("GPU"):
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * config.num_replicas
        with contextlib.suppress(RuntimeError):  # TensorFlow was used before; there may be enough of them
            tf.config.set_logical_device_configuration(cpu, parts)


def make_deterministic(config: TrainingConfig) -> None:
    """Makes TensorFlow bitwise reproducible if `config.deterministic` is set.

    TensorFlow's op determinism is not sufficient: the order in which three gradients of a tensor are summed depends on
    which memory is free first. With one thread that launches kernels, each of which still uses all cores, it is fixed.
    """
    if not config.deterministic:
        return
    try:
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise ConfigError(
            "--deterministic must be set before TensorFlow computes anything in a process; train in a new process."
        ) from error
    tf.config.experimental.enable_op_determinism()


def _multi_worker() -> tf.distribute.Strategy:
    try:
        cluster = json.loads(os.environ["TF_CONFIG"])
        roles, workers, task = set(cluster["cluster"]), cluster["cluster"]["worker"], int(cluster["task"]["index"])
    except (KeyError, TypeError, ValueError) as error:
        example = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
        raise ConfigError(
            f"--strategy=multi_worker needs the environment variable TF_CONFIG, such as {example}."
        ) from error
    if roles != {"worker"}:
        raise ConfigError(
            f"TF_CONFIG names {', '.join(sorted(roles))}; expected only workers, of which the first is the chief."
        )
    if not 0 <= task < len(workers):
        raise ConfigError(
            f"TF_CONFIG names {len(workers)} workers, so its task index is 0 to {len(workers) - 1}; got {task}."
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the files of a run: true except for workers other than the first."""
    resolver = strategy.cluster_resolver
    return resolver is None or resolver.task_id in (None, 0)


class TripletSource(NamedTuple):
    """The images of a run, and the config and strategy that decide how they are batched."""

    config: Config
    splits: Splits
    strategy: tf.distribute.Strategy

    def batches(self, split: str, first_step: int) -> tf.data.Dataset:
        """Triplet batches of a split from this step on; the share of this worker. Raises DataError.

        Only training images are augmented; validation errors are on original images.
        """
        flags, augmented = self.config.data, split == "train"

        def of_pipeline(context: tf.distribute.InputContext) -> tf.data.Dataset:
            try:
                return triplets(
                    getattr(self.splits, split),
                    batch_size=self.config.training.batch_size,
                    seed=self.config.training.seed,
                    first_step=first_step,
                    x2_any_identity=flags.x2_any_identity,
                    augment_shift=flags.augment_shift if augmented else 0,
                    augment_flip=flags.augment_flip and augmented,
                    input_context=context,
                )
            except DataError as error:
                raise DataError(f"split '{split}': {error}") from error

        return self.strategy.distribute_datasets_from_function(of_pipeline)
