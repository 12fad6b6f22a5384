"""One optimizer for each player, as the config says."""

import keras
import tensorflow as tf

from dfv.config.schema import TrainingConfig

CONSTANT_PART = 0.1


@keras.saving.register_keras_serializable("dfv")
class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam, a weight's update by TensorFlow's one kernel for it instead of eleven that go through memory."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        index, step = self._get_variable_index(variable), tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def learning_rate(
    rate: float, schedule: str, num_updates: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The rate itself, or a schedule that keeps it for the first tenth and then takes it to zero by a cosine."""
    if schedule == "constant":
        return rate
    constant = int(CONSTANT_PART * num_updates)
    # Keras' warm-up from the rate to the rate is the constant part.
    return keras.optimizers.schedules.CosineDecay(
        rate, max(num_updates - constant, 1), warmup_target=rate, warmup_steps=constant
    )


def _optimizer(kind: str, rate: float, schedule: str, config: TrainingConfig) -> keras.optimizers.Optimizer:
    rate = learning_rate(rate, schedule, config.num_steps)
    if kind == "sgd":
        return keras.optimizers.SGD(rate, momentum=config.sgd_momentum)
    return FusedAdam(rate, beta_1=config.adam_beta1)


def generator_optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """Encoder's and decoder's."""
    return _optimizer(config.generator_optimizer, config.generator_learning_rate, config.generator_schedule, config)


def adversary_optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """The adversary's on images."""
    return _optimizer(config.adversary_optimizer, config.adversary_learning_rate, config.adversary_schedule, config)


def latent_adversary_optimizer(config: TrainingConfig, updates_per_step: int) -> keras.optimizers.Optimizer:
    """The latent adversary's, which makes several updates in a step."""
    num_updates = config.num_steps * updates_per_step
    return FusedAdam(
        learning_rate(config.latent_adversary_learning_rate, config.latent_adversary_schedule, num_updates)
    )


def apply_where(
    learns: tf.Tensor,
    optimizer: keras.optimizers.Optimizer,
    gradients: list[tf.Tensor],
    variables: list[keras.Variable],
) -> None:
    """Applies the gradients if `learns`, a scalar bool; otherwise variables and optimizer stay as they are."""
    # A conditional update is not allowed inside a replica, so the old values are put back.
    state = [*variables, *optimizer.variables]
    before = [tf.identity(variable.value) for variable in state]
    optimizer.apply(gradients, variables)
    for variable, value in zip(state, before, strict=True):
        variable.assign(tf.where(learns, variable.value, value))
