"""Training images are shifted and mirrored, each by itself."""

import numpy as np

from tests.data.spelled_images import KEYS, assert_uniform, batches


def shifted(image: np.ndarray, down: int, right: int) -> np.ndarray:
    margin = max(abs(down), abs(right))
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    return padded[margin - down :, margin - right :][: image.shape[0], : image.shape[1]]


def test_augmentation_shifts_and_mirrors_each_image_by_itself(image_set):
    plain = batches(image_set, 4, batch_size=60)
    changed = batches(image_set, 4, batch_size=60, augment_shift=2, augment_flip=True)
    moves = [(down, right, step) for down in range(-2, 3) for right in range(-2, 3) for step in (1, -1)]
    found = []
    for before, after in zip(plain, changed, strict=True):
        np.testing.assert_array_equal(before["labels1"], after["labels1"])
        for key in KEYS[:3]:
            for image, result in zip(before[key], after[key], strict=True):
                matches = [m for m in moves if np.array_equal(shifted(image, *m[:2])[:, :: m[2]], result)]
                assert len(matches) == 1
                found.append(moves.index(matches[0]))
    assert_uniform(np.array(found), len(moves))
    of_each = np.array(found).reshape(4, 3, 60)
    assert np.mean(of_each[:, 0] == of_each[:, 1]) < 0.1  # x1 and x1' move independently


def test_flip_alone_and_shift_alone(image_set):
    plain, flipped, moved = (
        batches(image_set, 1, 64, **options)[0]["x2"]
        for options in (
            {},
            {"augment_flip": True},
            {"augment_shift": 1},
        )
    )
    for image, mirror, shift in zip(plain, flipped, moved, strict=True):
        assert np.array_equal(mirror, image) or np.array_equal(mirror, image[:, ::-1])
        assert any(np.array_equal(shift, shifted(image, i, j)) for i in (-1, 0, 1) for j in (-1, 0, 1))
