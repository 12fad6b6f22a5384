"""The division of test images within each identity."""

import numpy as np
import pytest

from dfv.evaluation.encoded_images import encode
from dfv.evaluation.split_within_identities import split_within_identities


def test_test_images_are_divided_within_each_identity(codec, make_splits):
    test = encode(codec(), make_splits(unseen=True).test, 1000)
    divided, labels = split_within_identities(test)
    parts = (divided.train, divided.validation, divided.test)
    assert [len(part) for part in parts] == [144, 48, 48] and labels.num_classes == (12,)
    assert sorted(np.concatenate([part.rows for part in parts])) == list(range(240))
    for part in parts:
        assert len(np.unique(part.identity)) == 12
        np.testing.assert_array_equal(labels.test[part.rows, 0], part.identity - 18)


@pytest.mark.parametrize("images", [2, 3])
def test_identities_of_few_images_are_divided_too(codec, make_splits, images):
    test = encode(codec(), make_splits(unseen=True).test, 1000)
    rows = np.concatenate([np.flatnonzero(test.identity == name)[:images] for name in range(18, 30)])
    divided, _ = split_within_identities(test.select(rows))
    assert len(np.unique(divided.train.identity)) == 12
    assert len(divided.validation) >= 4 and len(divided.test) >= 4
