"""What the adversary sees, against a loop over images in NumPy, and whose images are changed."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.decoded_pairs import DecodedPairs
from dfv.model.losses.adversary_augmentation import NUM_DRAWS, augment
from dfv.model.triplet_batch import Noise, read

MIDDLE = [0.5, 0.5, 0.5, 0.5, 0.5]  # of colours and shifts: no change


def of(image, draws):
    """One image, changed in NumPy as the paper's code describes it."""
    image = image + draws[0] - 0.5
    grey = image.mean(-1, keepdims=True)
    image = (image - grey) * 2 * draws[1] + grey
    image = (image - image.mean()) * (draws[2] + 0.5) + image.mean()
    height, width, _ = image.shape
    moved = np.zeros_like(image)
    down, right = (
        int(draw * (2 * (size // 8) + 1)) - size // 8 for draw, size in zip(draws[3:5], (height, width), strict=True)
    )
    for y in range(height):
        for x in range(width):
            if 0 <= y - down < height and 0 <= x - right < width:
                moved[y, x] = image[y - down, x - right]
    top, left = (int(draws[5 + i] * size) - size // 4 for i, size in enumerate((height, width)))
    moved[max(top, 0) : max(top + height // 2, 0), max(left, 0) : max(left + width // 2, 0)] = 0
    return moved


@pytest.mark.parametrize("shape", [(16, 24, 3), (8, 8, 1)])
def test_images_are_those_of_a_loop(shape):
    rng = np.random.default_rng(0)
    images, draws = rng.uniform(-1, 1, (20, *shape)), rng.uniform(0, 1, (20, NUM_DRAWS))
    found = augment(tf.constant(images, tf.float32), tf.constant(draws, tf.float32))
    expected = np.stack([of(*each) for each in zip(images, draws, strict=True)])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_gradient_passes_where_the_image_is_seen():
    images, draws = tf.zeros((1, 8, 8, 1)), tf.constant([[*MIDDLE, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(images)
        seen = augment(images, draws)[0, :, :, 0]
    gradient = tape.gradient(seen, images)[0, :, :, 0].numpy()
    covered = np.zeros((8, 8), bool)
    covered[:2, :2] = True
    np.testing.assert_allclose(gradient[covered].mean(), 0, atol=1e-6)
    assert np.all(gradient[~covered] > 0.9)


@pytest.mark.parametrize("labels", ["identity", "pair"])
def test_all_that_the_adversary_sees_is_changed_by_draws_of_its_own(tiny_model, triplet_batch, monkeypatch, labels):
    model, changed = tiny_model(adversary_labels=labels, adversary_augmentation=True), []

    def recorded(images, draws):
        changed.append((images.numpy(), tuple(draws.numpy().ravel())))
        return augment(images, draws)

    monkeypatch.setattr("dfv.model.disentangler.augment", recorded)
    triplet = read(triplet_batch())
    swap, prior = triplet.x1 / 2, triplet.x1 / 3
    noise = Noise(0, tf.constant(0, tf.int64), triplet, z_dim=6)
    model.adversary_logits(triplet, DecodedPairs(None, None, swap, prior), noise)
    x1, x1_same, x2 = triplet[:3]
    seen = [(x1, x1_same), (swap, x2), (prior, x2)] if labels == "pair" else [(x2,), (swap,), (prior,)]
    draws = [draws for _, draws in changed]
    assert len(set(draws)) == 3 and draws == [draws[i * len(images)] for i, images in enumerate(seen) for _ in images]
    for (image, _), expected in zip(changed, [image for images in seen for image in images], strict=True):
        np.testing.assert_array_equal(image, expected)
