"""Keras interface of a model that is trained on triplets: optimizers, data, and names of metrics."""

import inspect
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dfv.model import optimizers
from dfv.model.codec import Codec
from dfv.model.losses.term_metrics import TermMeans
from dfv.model.triplet_batch import TripletFormat

PLAYERS = ("generator", "adversary", "latent_adversary")
# What Keras' compile takes besides, and a config decides here.
LOSS_OPTIONS = ("loss", "loss_weights", "metrics", "weighted_metrics")
WEIGHT_OPTIONS = ("sample_weight", "class_weight")


class TripletModel(Codec):
    """A codec whose players are trained on triplets, each with a separate optimizer.

    A subclass has `player_variables`, `means` and `validation_means`, and the steps.
    """

    means: TermMeans
    validation_means: list[keras.metrics.Mean]
    generator_optimizer: keras.optimizers.Optimizer
    adversary_optimizer: keras.optimizers.Optimizer
    latent_adversary_optimizer: keras.optimizers.Optimizer

    def player_variables(self) -> dict[str, list[keras.Variable]]:
        """Trainable variables of each player, by name; players that no loss needs are omitted."""
        raise NotImplementedError

    def compile(
        self,
        generator_optimizer: Any = None,
        adversary_optimizer: Any = None,
        latent_adversary_optimizer: Any = None,
        *,
        optimizer: Any = None,
        **options: Any,
    ) -> None:
        """Sets the optimizer of each player: an instance, a name or a config, as in Keras; None: from the config.

        optimizer: Keras' name for generator_optimizer. `model.optimizer` is the same, so a callback that sets the
          learning rate, such as ReduceLROnPlateau, changes that of encoder and decoder, not that of the adversaries.
        options: other options of Keras; jit_compile defaults to the config's value. The config determines losses, their
          weights and metrics, so `loss` and `metrics` are rejected.

        Call this in the strategy's scope. Raises ValueError for unsupported optimizers and options.
        """
        _refuse_losses(options)
        if generator_optimizer is not None and optimizer is not None:
            raise ValueError("optimizer and generator_optimizer are both the generator's optimizer; give one of them.")
        chosen = (
            optimizer if generator_optimizer is None else generator_optimizer,
            adversary_optimizer,
            latent_adversary_optimizer,
        )
        given = {
            player: optimizers.resolve(f"{player}_optimizer", identifier)
            for player, identifier in zip(PLAYERS, chosen, strict=True)
            if identifier is not None
        }
        if len(set(map(id, given.values()))) < len(given):
            raise ValueError("expected an optimizer for each player; received one instance for several. Make another.")
        for player, variables in self.player_variables().items():
            of_player = given.get(player) or optimizers.of_config(player, self.config)
            of_player.build(variables)
            setattr(self, f"{player}_optimizer", of_player)
        # Keras' callbacks look for `optimizer`; left out, compile() would make a stray RMSprop.
        options.setdefault("jit_compile", self.config.training.jit_compile)
        keras.Model.compile(self, optimizer=self.generator_optimizer, **options)  # a codec's own refuses

    @property
    def triplet_format(self) -> TripletFormat:
        """Required format of a batch."""
        return TripletFormat(self.image_shape, self.label_sizes)

    def fit(self, *args: Any, **options: Any) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, on batches of triplets; `dfv.triplets` is infinite: pass steps_per_epoch.

        Raises ValueError for data in another format or without end, before anything is computed, and for weights of
        examples.
        """
        bound = inspect.signature(super().fit).bind(*args, **options)
        given = bound.arguments
        _refuse_weights(given)
        data = given.get("x")
        self._check_data(data, given.get("y"), "steps_per_epoch", given.get("steps_per_epoch"))
        self._check_data(given.get("validation_data"), None, "validation_steps", given.get("validation_steps"), True)
        if isinstance(data, tf.data.Dataset):
            given.setdefault("shuffle", False)  # Keras' default cannot hold for a data set, and Keras would warn
            if self.jit_compile:  # XLA drops the assertions of a step
                given["x"] = data.map(lambda *batch: self.triplet_format.checked(batch))
        return super().fit(*bound.args, **bound.kwargs)

    def evaluate(self, *args: Any, **options: Any) -> Any:
        """Returns mean errors as `keras.Model.evaluate` does, on batches of triplets; see `metrics_names` and `fit`."""
        given = inspect.signature(super().evaluate).bind(*args, **options).arguments
        _refuse_weights(given)
        self._check_data(given.get("x"), given.get("y"), "steps", given.get("steps"), unseen_identities=True)
        return super().evaluate(*args, **options)

    def train_on_batch(self, *args: Any, **options: Any) -> Any:
        """Trains on one batch of triplets as `keras.Model.train_on_batch` does. Raises ValueError for other data."""
        given = inspect.signature(super().train_on_batch).bind(*args, **options).arguments
        _refuse_weights(given)
        self._check_data(given["x"], given.get("y"))
        return super().train_on_batch(*args, **options)

    def test_on_batch(self, *args: Any, **options: Any) -> Any:
        """Evaluates one batch of triplets as `keras.Model.test_on_batch` does. Raises ValueError for other data."""
        given = inspect.signature(super().test_on_batch).bind(*args, **options).arguments
        _refuse_weights(given)
        self._check_data(given["x"], given.get("y"), unseen_identities=True)
        return super().test_on_batch(*args, **options)

    def _check_data(
        self,
        data: Any,
        labels: Any,
        steps_name: str = "steps",
        steps: int | None = None,
        unseen_identities: bool = False,
    ) -> None:
        if isinstance(data, tf.data.Dataset):
            self.triplet_format.checked_spec(data.element_spec)
            if steps is None and data.cardinality() == tf.data.INFINITE_CARDINALITY:
                raise ValueError(
                    f"{steps_name}: expected a number of batches, since the data set is endless, as dfv.triplets is;"
                    f" received none. Give {steps_name}, or dataset.take(number_of_batches)."
                )
        elif isinstance(data, (dict, tuple, list, np.ndarray, tf.Tensor)):
            self.triplet_format.checked((data, labels), unseen_identities)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*self.validation_means, self.means]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the values that `evaluate` returns, in its order."""
        return [mean.name for mean in self.validation_means]

    def get_metrics_result(self) -> dict[str, Any]:
        # Training and validation share names: what each step returns is the result, not the union.
        return {}

    def get_compile_config(self) -> dict[str, Any]:
        names = [f"{player}_optimizer" for player in PLAYERS]
        return {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in names if hasattr(self, name)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        names = {"z_classifier_optimizer": "latent_adversary_optimizer"}  # of files of earlier versions
        self.compile(**{names.get(k, k): keras.saving.deserialize_keras_object(value) for k, value in config.items()})


def _refuse_weights(given: dict[str, Any]) -> None:
    names = [name for name in WEIGHT_OPTIONS if given.get(name) is not None]
    if names:
        raise ValueError(
            f"{', '.join(names)}: expected none, since all triplets of a batch count the same in the losses. Give"
            " batches that hold more triplets of what should count more."
        )


def _refuse_losses(options: dict[str, Any]) -> None:
    given = [name for name in LOSS_OPTIONS if options.pop(name, None)]
    if given:
        raise ValueError(
            f"{', '.join(given)}: expected none, since the losses of Algorithm 1 and their weights follow from the"
            " config, and every term of them is in the logs. Set weights such as kl_weight in dfv.Config.of, and give"
            " compile optimizers alone."
        )
