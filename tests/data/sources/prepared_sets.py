"""Small sets written as TensorFlow Datasets writes them, whose images show numbers."""

import numpy as np
import tensorflow_datasets as tfds

from tests.data.spelled_images import spell


def prepare(folder, name, version, features, splits):
    """Writes a set as TFDS does; splits: name -> (N, feature -> [N] values)."""
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version=version,
        features=tfds.features.FeaturesDict(features),
        split_datasets={
            split: [(row, {name: values[row] for name, values in columns.items()}) for row in range(num_examples)]
            for split, (num_examples, columns) in splits.items()
        },
        data_dir=folder,
        disable_shuffling=True,
    )
    return str(folder)


def number_images(numbers, side=28, channels=1):
    """Black images that show the numbers; `shown` reads them."""
    return spell(np.zeros((len(numbers), side, side, channels), np.uint8), numbers)
