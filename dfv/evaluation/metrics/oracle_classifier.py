"""Oracle classifiers: trained on real images only, they predict the labels of generated images."""

from dataclasses import dataclass

import numpy as np
from keras import layers
from keras.optimizers.schedules import CosineDecay

from dfv.data.dataset import ImageSet, Splits
from dfv.evaluation.labels import Labels
from dfv.evaluation.probes.softmax_classifier import SoftmaxClassifier
from dfv.evaluation.sampling import SampleSizes, sample_rows
from dfv.model.layers.dtype_policy import float32_policy

BATCH = 64


@dataclass(frozen=True)
class OracleErrors:
    """Error rate on real training and test images as a fraction, by label."""

    train: dict[str, float]
    test: dict[str, float]


@dataclass(frozen=True)
class OracleClassifier:
    """A classifier of images, the labels that it predicts, and its error rates on real images."""

    labels: Labels
    classifier: SoftmaxClassifier
    errors: OracleErrors

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predicted classes [N, L] int of images [N, H, W, C] uint8."""
        return self.classifier.predict_labels(images)

    def features(self, images: np.ndarray) -> np.ndarray:
        """[N, 256] float32: outputs of the hidden layer for images [N, H, W, C] uint8."""
        return self.classifier.features(images)


def train_oracle(splits: Splits, labels: Labels, sizes: SampleSizes, seed: int = 0) -> OracleClassifier:
    """Trains a classifier on real images of `train`, and keeps the epoch with the lowest error on `validation`."""
    height, width, _ = splits.train.image_shape
    num_train, epochs = sizes.oracle_training(len(splits.train), height, width, BATCH)
    train = sample_rows(len(splits.train), num_train)
    validation = sample_rows(len(splits.validation), sizes.validation_images)
    schedule = CosineDecay(2e-3, epochs * max(num_train // BATCH, 1))
    with float32_policy():
        classifier = SoftmaxClassifier(
            _convolutions(seed),
            splits.train.image_shape,
            labels.num_classes,
            dtype="uint8",
            batch_size=BATCH,
            learning_rate=schedule,
        )
    classifier.fit_best_epoch(
        (splits.train.select(train).images, labels.train[train]),
        (splits.validation.select(validation).images, labels.validation[validation]),
        seed=seed,
        max_epochs=epochs,
        patience=epochs,
    )
    train_rows, test_rows = (
        train[sample_rows(num_train, sizes.validation_images)],
        sample_rows(len(splits.test), sizes.test_images),
    )

    def errors(part: ImageSet, known: np.ndarray, rows: np.ndarray) -> dict[str, float]:
        wrong = classifier.predict_labels(part.select(rows).images) != known[rows]
        return dict(zip(labels.names, wrong.mean(0).tolist(), strict=True))

    of_splits = OracleErrors(
        errors(splits.train, labels.train, train_rows), errors(splits.test, labels.test, test_rows)
    )
    return OracleClassifier(labels, classifier, of_splits)


def _convolutions(seed: int) -> list[layers.Layer]:
    """Three convolutions of stride 2 and a hidden layer, with batch normalization and ReLU, for uint8 images."""
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
