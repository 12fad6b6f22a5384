"""Shapes as signed distances to their outlines, and the canvas on which they are painted."""

import numpy as np

Array = np.ndarray
Length = Array | float

FAR = 99  # a distance that lies outside of every shape


def radial(x: Array, y: Array, k: Array) -> Array:
    """Returns the signed distance to the outline k = 1 along the ray from the centre, where k grows linearly."""
    return np.sqrt(x * x + y * y) * (1 - 1 / np.maximum(k, 1e-3))


def ellipse(x: Array, y: Array, half_width: Length, half_height: Length) -> Array:
    """Returns the approximate signed distance to an ellipse around the origin."""
    return radial(x, y, np.sqrt((x / half_width) ** 2 + (y / half_height) ** 2))


def box(x: Array, y: Array, half_width: Length, half_height: Length) -> Array:
    """Returns the signed distance to a rectangle around the origin."""
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def rgb(hue: Array, saturation: Array, value: Array) -> Array:
    """Converts HSV to RGB [N, 3] in [0, 1].

    hue: 0 to 6 (red 0, green 2, blue 4); saturation, value: 0 to 1.
    """
    k = (hue[:, None] + np.array([5, 3, 1], np.float32)) % 6
    return value[:, None] * (1 - saturation[:, None] * np.clip(np.minimum(k, 4 - k), 0, 1))


class Canvas:
    """Images [N, 3, H, W] float32 in [0, 1], painted layer by layer; each layer is multiplied by the tint [N, 3]."""

    def __init__(self, background: Array, tint: Array) -> None:
        self._pixels = background
        self._tint = tint[..., None, None]
        self._pixels_per_unit = background.shape[-1] / 32

    def paint(self, distance: Array, colour: Array, opacity: Length = 1.0) -> None:
        """Paints where distance [N, H, W] is negative, with antialiased edges.

        colour: [N, 3], [3] or [N, 3, H, W].
        """
        cover = np.clip(0.5 - distance * self._pixels_per_unit, 0, 1) * opacity
        colour = self._tint * (colour if colour.ndim == 4 else colour[..., None, None])
        self._pixels += cover[:, None] * (colour - self._pixels)

    def as_uint8(self) -> Array:
        """Returns the images [N, H, W, 3] uint8."""
        return np.rint(self._pixels * 255).astype(np.uint8).transpose(0, 2, 3, 1)
