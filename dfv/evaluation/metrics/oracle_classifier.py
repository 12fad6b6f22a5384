"""Judges: classifiers of images, trained on real images alone, that say what a generated image shows."""

from dataclasses import dataclass

import numpy as np
from keras import layers
from keras.optimizers.schedules import CosineDecay

from dfv.data.dataset import ImageSet, Splits
from dfv.evaluation.probes.softmax_classifier import Classifier
from dfv.evaluation.row_selection import some_rows
from dfv.evaluation.sample_sizes import Limits
from dfv.evaluation.scored_splits import Labels

BATCH = 64


@dataclass(frozen=True)
class Judge:
    """A judge of some labels; its own errors on real images as fractions: split, train or test -> label -> error."""

    labels: Labels
    classifier: Classifier
    errors: dict[str, dict[str, float]]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """What images [N, H, W, C] uint8 show, [N, L] int."""
        return self.classifier.predict_labels(images)


def train_judge(splits: Splits, labels: Labels, limits: Limits, seed: int = 0) -> Judge:
    """A judge trained on real images of `train`; the epoch that errs least on those of `validation` is kept."""
    height, width, _ = splits.train.image_shape
    num_train, epochs = limits.judge_training(len(splits.train), height, width, BATCH)
    train = some_rows(len(splits.train), num_train)
    validation = some_rows(len(splits.validation), limits.validation_images)
    schedule = CosineDecay(2e-3, epochs * max(num_train // BATCH, 1))
    classifier = Classifier(
        _convolutions(seed), splits.train.image_shape, labels.sizes, dtype="uint8", batch=BATCH, learning_rate=schedule
    )
    classifier.fit_until_best(
        (splits.train.select(train).images, labels.train[train]),
        (splits.validation.select(validation).images, labels.validation[validation]),
        seed=seed,
        max_epochs=epochs,
        patience=epochs,
    )
    seen, test = train[some_rows(num_train, limits.validation_images)], some_rows(len(splits.test), limits.test_images)

    def errors(part: ImageSet, known: np.ndarray, rows: np.ndarray) -> dict[str, float]:
        wrong = classifier.predict_labels(part.select(rows).images) != known[rows]
        return dict(zip(labels.names, wrong.mean(0).tolist(), strict=True))

    of_splits = {"train": errors(splits.train, labels.train, seen), "test": errors(splits.test, labels.test, test)}
    return Judge(labels, classifier, of_splits)


def _convolutions(seed: int) -> list[layers.Layer]:
    """Three convolutions of stride 2 and a hidden layer, with BatchNorm and ReLU; uint8 pixels in."""
    stack: list[layers.Layer] = [layers.Rescaling(1 / 127.5, offset=-1.0)]
    for width, size in ((32, 5), (64, 3), (128, 3)):
        stack += [
            layers.Conv2D(width, size, 2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ]
    hidden = layers.Dense(256, use_bias=False)
    return [
        *stack,
        layers.Flatten(),
        hidden,
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.Dropout(0.3, seed=seed),
    ]
