"""What the shipped models and three training steps gave before the code was reorganised, they still give."""

import numpy as np
import pytest

from tests.golden import outputs

GREY_LEVELS = 1  # by which a pixel may differ on another processor


@pytest.mark.parametrize("name", outputs.SHIPPED)
def test_a_shipped_model_gives_the_stored_codes_and_images(name: str) -> None:
    stored, found = outputs.read(name), outputs.of_shipped_model(name)
    assert stored.keys() == found.keys()
    for key, expected in stored.items():
        if expected.dtype == np.uint8:
            assert np.abs(found[key].astype(int) - expected).max() <= GREY_LEVELS, key
        else:
            np.testing.assert_allclose(found[key], expected, rtol=1e-4, atol=1e-4, err_msg=key)


def test_three_training_steps_give_the_stored_terms_and_weights() -> None:
    stored, found = outputs.read("training_steps"), outputs.of_training_steps()
    for key, expected in stored.items():
        np.testing.assert_allclose(found[key], expected, rtol=2e-3, atol=2e-4, err_msg=key)
