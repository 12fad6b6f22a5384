"""Probes trained by gradient descent: a network with one hidden layer of 256 units, and a linear classifier."""

from functools import lru_cache

import numpy as np
from keras import layers

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.probe_data import ProbeData
from dfv.evaluation.probes.softmax_classifier import SoftmaxClassifier

HIDDEN_UNITS: dict[str, tuple[int, ...]] = {"network": (256,), "linear": ()}
PATIENCE = 10
MIN_STEPS_PER_EPOCH = 50


def network_predictions(
    data: ProbeData, hidden_units: tuple[int, ...], *, seed: int, max_epochs: int
) -> BySplit[np.ndarray]:
    """Trains a classifier with these hidden layers of ReLU and returns its predictions [N, L] for every split.

    It is trained on standardized codes until `validation` errors have not decreased for PATIENCE epochs.
    """
    data = data.standardized()
    classifier = _classifier(hidden_units, data.codes.train.shape[1], data.num_classes)
    classifier.fit_best_epoch(
        (data.codes.train, data.labels.train),
        (data.codes.validation, data.labels.validation),
        seed=seed,
        max_epochs=max_epochs,
        patience=PATIENCE,
        min_steps=MIN_STEPS_PER_EPOCH,
    )
    return BySplit(*(classifier.predict_labels(codes) for codes in data.codes))


@lru_cache(maxsize=8)
def _classifier(hidden_units: tuple[int, ...], code_dim: int, num_classes: tuple[int, ...]) -> SoftmaxClassifier:
    # Each fit reinitializes it: to trace a new one takes longer than to train it on a small set.
    learning_rate = 1e-3 if hidden_units else 1e-2
    hidden = [layers.Dense(units, "relu") for units in hidden_units]
    return SoftmaxClassifier(hidden, (code_dim,), num_classes, learning_rate=learning_rate)
