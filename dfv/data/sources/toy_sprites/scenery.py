"""Backgrounds for each light: sky, sun or moon, and a hill."""

from functools import lru_cache

import numpy as np

GROUND = np.float32(28.7)  # distance from the top of the image to the feet of a standing character

# For each light: colour of the sky at its top and at the horizon, of the ground, of the sun or moon.
_SCENES = np.array(
    [
        [(110, 185, 250), (205, 235, 255), (125, 200, 95), (255, 245, 150)],
        [(240, 120, 110), (255, 205, 140), (190, 130, 80), (255, 235, 190)],
        [(42, 46, 110), (90, 95, 170), (50, 95, 110), (240, 240, 210)],
        [(175, 165, 215), (235, 225, 245), (245, 248, 255), (255, 255, 255)],
    ],
    np.float32,
)
# For each light: factors of the character's red, green and blue.
TINT = np.array([(1, 1, 1), (1, 0.87, 0.8), (0.76, 0.78, 0.94), (0.94, 0.95, 1)], np.float32)


@lru_cache(maxsize=4)
def backgrounds(size: int) -> np.ndarray:
    """Returns the backgrounds [4, 3, size, size] float32 in [0, 1], one for each light."""
    place = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(32 / size)
    x, row = place[None, :] - 16, place[:, None]
    top, foot, ground, disc = (_SCENES[:, part, :, None, None] / 255 for part in range(4))
    sky = top + (foot - top) * np.minimum(row / 22, 1)
    far = np.sqrt((x - 11) ** 2 + (row - 5) ** 2)
    sky = sky + np.clip((3 - far) * size / 32 + 0.5, 0, 1) * (disc - sky)
    hill = 24 + x * x / 130
    cover = np.clip((row - hill) * size / 32 + 0.5, 0, 1)
    shaded = ground * (1.04 - 0.018 * (row - 24))
    return np.clip(sky + cover * (shaded - sky), 0, 1).astype(np.float32)
