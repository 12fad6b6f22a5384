"""Divides the test images of each identity, for probes of identities that do not occur in training."""

import dataclasses

import numpy as np

from dfv.data.dataset import Splits
from dfv.evaluation.encoded_images import EncodedImages, EncodedSplits
from dfv.evaluation.labels import Labels
from dfv.evaluation.sampling import rows_within_identities


def split_within_identities(test: EncodedImages, seed: int = 0) -> tuple[EncodedSplits, Labels]:
    """Divides test images at random within each identity: 60 % become `train`, 20 % `validation`, 20 % `test`.

    Returns them with the identity as label, numbered from 0, [M, 1] in every split for the M images up to the last of
    `test.rows`.
    """
    names, identity = np.unique(test.identity, return_inverse=True)
    labels = np.zeros((int(test.rows.max()) + 1, 1), np.int32)
    labels[test.rows, 0] = identity
    encoded = EncodedSplits(*map(test.select, rows_within_identities(identity, seed)))
    return encoded, Labels(("identity",), (len(names),), labels, labels, labels)


def image_split_within_identities(test: EncodedImages) -> tuple[Splits, Labels, EncodedImages]:
    """The same division as splits of images, with a label [N, 1] for each image of a split, and its encoded `test`."""
    encoded, labels = split_within_identities(test)
    splits = Splits(encoded.train.image_set, encoded.validation.image_set, encoded.test.image_set)
    labels = Labels(labels.names, labels.num_classes, *(labels.test[part.rows] for part in encoded))
    return splits, labels, dataclasses.replace(encoded.test, rows=np.arange(len(encoded.test)))
