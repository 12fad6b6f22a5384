"""One optimizer for each player, as set by the config."""

from typing import Any

import keras
import tensorflow as tf

from dfv.config.schema import Config, TrainingConfig

CONSTANT_PART = 0.1


@keras.saving.register_keras_serializable("dfv")
class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam with TensorFlow's fused kernel for the update of a weight, instead of eleven kernels."""

    def apply(self, grads: list[tf.Tensor], trainable_variables: list[keras.Variable] | None = None) -> None:
        # Once for all variables: for each of them, they would be a fifth of the graph of a training step.
        step = tf.cast(self.iterations.value + 1, tf.float32)
        self._beta_powers = tf.pow(self.beta_1, step), tf.pow(self.beta_2, step)
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        index, (beta1_power, beta2_power) = self._get_variable_index(variable), self._beta_powers
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta1_power,
            beta2_power=beta2_power,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def learning_rate(
    rate: float, schedule: str, num_updates: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate, or a schedule: constant for the first tenth of the run, then cosine decay to zero."""
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


def of_config(player: str, config: Config) -> keras.optimizers.Optimizer:
    """The optimizer that the config sets for "generator" (encoder, decoder), "adversary", "latent_adversary"."""
    training = config.training
    if player == "generator":
        return _optimizer(
            training.generator_optimizer, training.generator_learning_rate, training.generator_schedule, training
        )
    if player == "adversary":
        return _optimizer(
            training.adversary_optimizer, training.adversary_learning_rate, training.adversary_schedule, training
        )
    # It makes several updates in a step.
    num_updates = training.num_steps * config.loss.num_latent_adversary_updates
    rate, schedule = training.latent_adversary_learning_rate, training.latent_adversary_schedule
    return FusedAdam(learning_rate(rate, schedule, num_updates))


def resolve(argument: str, identifier: Any) -> keras.optimizers.Optimizer:
    """Returns the optimizer for an argument of `compile`: a Keras optimizer, its name ("adam"), or its config.

    Raises ValueError for anything else, and for optimizer options that the training step does not support.
    """
    try:
        optimizer = keras.optimizers.get(identifier)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{argument}: expected a Keras optimizer, its name such as 'adam', or its config; received {identifier!r}."
            " compile takes one optimizer for each player: generator_optimizer (or optimizer), adversary_optimizer and"
            " latent_adversary_optimizer."
        ) from error
    if optimizer.gradient_accumulation_steps:
        raise ValueError(
            f"{argument}: expected an optimizer that updates at every step; received"
            f" gradient_accumulation_steps={optimizer.gradient_accumulation_steps}. The players learn in turns, and the"
            " noise of a step follows from the number of updates; use a larger batch_size instead."
        )
    if optimizer.loss_scale_factor or isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        raise ValueError(
            f"{argument}: expected an optimizer without loss scaling, since losses are computed in float32 and are not"
            f" scaled; received {type(optimizer).__name__} with loss scaling. Leave it out."
        )
    return optimizer


def apply_where(
    learns: tf.Tensor,
    optimizer: keras.optimizers.Optimizer,
    gradients: list[tf.Tensor],
    variables: list[keras.Variable],
) -> None:
    """Applies the gradients if `learns`, a scalar bool, is true; otherwise changes neither variables nor optimizer."""
    # A conditional update is not allowed inside a replica, so the old values are put back.
    state = [*variables, *optimizer.variables]
    before = [tf.identity(variable.value) for variable in state]
    optimizer.apply(gradients, variables)
    for variable, value in zip(state, before, strict=True):
        variable.assign(tf.where(learns, variable.value, value))
