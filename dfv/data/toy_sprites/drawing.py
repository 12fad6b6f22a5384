"""Characters drawn from distances to their outlines, so that edges are smooth at every size.

Lengths are in units of which the image has 32 each way: x to the right from its middle, y up from the ground.
Only operations that IEEE 754 fixes to the bit are used, and each image is drawn by itself: an image does not depend
on the others in the batch.
"""

import numpy as np

from dfv.data.toy_sprites.characters import Characters, Poses
from dfv.data.toy_sprites.scenery import GROUND, TINT, backgrounds

_CHUNK_PIXELS = 2**15  # drawn at a time; more leave the processor's cache, and take twice as long

# Half the width, half the height, how much narrower on top, how square; by shape.
_BODY = np.array([(6.9, 6.7, 0, 0), (5.1, 7.2, 0, 0.2), (7.4, 5.9, 0, 1), (5.9, 7, 0.5, 0.3)], np.float32)
# Hue of 0 to 6, saturation, value; by colour.
_COLOUR = np.array(
    [(0, 0.75, 0.9), (0.82, 0.78, 1), (1.95, 0.7, 0.75), (2.95, 0.62, 0.95), (3.75, 0.75, 0.95), (5.15, 0.5, 1)],
    np.float32,
)
_JUMP = np.array([0, 2.5, 5], np.float32)
_ARMS = np.array([(-1, -1), (1, -1), (1, 1)], np.float32)  # the one that the character faces, the other; 1: up
_DARK, _WHITE, _CREAM = (np.array(rgb, np.float32)[None] for rgb in ((0.16, 0.13, 0.22), (1, 1, 1), (1, 0.93, 0.8)))
_HAT_COLOURS = np.array([(0, 0, 0), (0.98, 0.45, 0.2), (0.36, 0.28, 0.5), (0, 0, 0)], np.float32)
_HAT_TRIM = np.array([(0, 0, 0), (1, 0.95, 0.8), (0.95, 0.75, 0.25), (1, 0.75, 0.78)], np.float32)


def render(characters: Characters, poses: Poses, image_size: int = 32) -> np.ndarray:
    """The images [N, image_size, image_size, 3] uint8 of these characters in these poses."""
    images = np.empty((len(characters), image_size, image_size, 3), np.uint8)
    chunk = max(1, _CHUNK_PIXELS // image_size**2)
    for start in range(0, len(images), chunk):
        rows = slice(start, start + chunk)
        images[rows] = _draw(characters.take(rows), poses.take(rows), image_size)
    return images


def _column(values: np.ndarray) -> np.ndarray:
    return values[:, None, None]


def _ellipse(x: np.ndarray, y: np.ndarray, half_width: np.ndarray | float, half_height: np.ndarray | float):
    return _radial(x, y, np.sqrt((x / half_width) ** 2 + (y / half_height) ** 2))


def _radial(x: np.ndarray, y: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Distance along the ray from the middle to where k, which grows in proportion along it, is 1."""
    return np.sqrt(x * x + y * y) * (1 - 1 / np.maximum(k, 1e-3))


def _box(x: np.ndarray, y: np.ndarray, half_width: np.ndarray | float, half_height: np.ndarray | float):
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def _hsv(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    """[N, 3] from hue of 0 to 6, saturation and value."""
    k = (hue[:, None] + np.array([5, 3, 1], np.float32)) % 6
    return value[:, None] * (1 - saturation[:, None] * np.clip(np.minimum(k, 4 - k), 0, 1))


class _Canvas:
    """Images [N, 3, H, W] float32 in [0, 1] that are painted layer by layer."""

    def __init__(self, background: np.ndarray, tint: np.ndarray) -> None:
        self.pixels = background
        self._tint = tint
        self._per_unit = background.shape[-1] / 32

    def paint(self, distance: np.ndarray, colour: np.ndarray, opacity: np.ndarray | float = 1.0) -> None:
        """Inside distance [N, H, W] < 0, a pixel's width of soft edge; colour [N or 1, 3] or [N, 3, H, W]."""
        cover = np.clip(0.5 - distance * self._per_unit, 0, 1) * opacity
        colour = colour * self._tint if colour.ndim == 2 else colour * self._tint[..., None, None]
        colour = colour[..., None, None] if colour.ndim == 2 else colour
        self.pixels += cover[:, None] * (colour - self.pixels)


def _draw(characters: Characters, poses: Poses, size: int) -> np.ndarray:
    place = ((np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(32 / size)).astype(np.float32)
    x, y = place[None, None, :] - 16, GROUND - place[None, :, None]
    hue_shift, size_shift = characters.details()
    scale = _column(1 + np.float32(0.03) * size_shift)
    a, b, taper, square = (_column(values) for values in _BODY[characters.shape].T)
    jump, facing = _column(_JUMP[poses.jump]), _column(poses.facing.astype(np.float32) * 2 - 1)

    canvas = _Canvas(backgrounds(size)[poses.light], TINT[poses.light])
    canvas.paint(_ellipse(x, y, a + 2 - 0.45 * jump, 1.9 - 0.12 * jump), _DARK, 0.42 - 0.03 * jump)

    u, v = x * facing / scale, (y - jump - 0.6) / scale - b - 0.4  # from the body's middle; it looks to u > 0
    head = v - b
    hue, saturation, value = _COLOUR[characters.colour].T
    colour = _hsv(hue + np.float32(0.09) * hue_shift, saturation, value)

    width = a * (1 - taper * np.clip(v / b, -1, 1))
    e, f = (u / width) ** 2, (v / b) ** 2
    e4, f4 = e * e, f * f
    rounded = np.sqrt(e + f)
    body = _radial(u, v, rounded + square * (np.sqrt(np.sqrt(np.sqrt(e4 * e4 + f4 * f4))) - rounded))
    feet = _ellipse(np.abs(u - 0.9) - 0.48 * a, v + b + 0.1, 2.3, 1.5)
    arms = _arms(u, v, a, b, _ARMS[poses.arms])
    hat, trim = _hats(characters.hat, u, head, a)
    ears = _column(characters.hat == 3)

    outline = np.minimum(np.minimum(body, feet), np.minimum(arms, hat))
    canvas.paint(outline - 0.85, colour * 0.3)
    canvas.paint(np.minimum(feet, arms), colour * 0.82)
    canvas.paint(np.where(ears, hat, 99), colour * 0.9)
    canvas.paint(np.where(ears, trim, 99), _HAT_TRIM[characters.hat])
    light = 1 + 0.2 * np.clip(v / b, -1, 1) - 0.1 * np.clip(x / a, -1, 1)
    canvas.paint(body, np.minimum(colour[..., None, None] * light[:, None], 1))
    _belly(canvas, characters.belly, body, u, v, a, b, colour)
    _face(canvas, characters.eyes, u, v, a, b)
    canvas.paint(np.where(ears, 99, hat), _HAT_COLOURS[characters.hat])
    canvas.paint(np.where(ears, 99, trim), _HAT_TRIM[characters.hat])
    return np.rint(canvas.pixels * 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _arms(u, v, a, b, up) -> np.ndarray:
    """Two rounded strokes from the shoulders outwards, each up or down."""
    front, back = _column(up[:, 0]), _column(up[:, 1])
    across = np.abs(u) - 0.8 * a
    direction = np.where(u > 0, front, back)
    along = (v + 0.05 * b) * direction
    reach, rise = 0.2 * a + 3.2, np.where(direction > 0, 0.62 * b, 0.4 * b)
    part = np.clip((across * reach + along * rise) / (reach * reach + rise * rise), 0, 1)
    return np.sqrt((across - part * reach) ** 2 + (along - part * rise) ** 2) - 1.3


def _hats(hat, u, head, a) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the hat and to its trim; far outside for those without."""
    shape = np.broadcast_shapes(u.shape, head.shape)
    distance, trim = np.full((2, *shape), 99, np.float32)
    for kind, draw in ((1, _cone), (2, _top_hat), (3, _ears)):
        rows = np.flatnonzero(hat == kind)
        distance[rows], trim[rows] = draw(u[rows], head[rows], a[rows])
    return distance, trim


def _cone(u, head, a):
    side = 0.85 * (np.abs(u) - 0.66 * (5.2 - head))
    hat = np.maximum(side, -0.9 - head)
    bobble = np.sqrt(u * u + (head - 5) ** 2) - 1.5
    brim = _box(u, head + 0.5, 4.4, 0.75)
    return np.minimum(np.minimum(hat, bobble), brim), np.minimum(bobble, brim)


def _top_hat(u, head, a):
    brim, crown = _box(u, head, 5.6, 0.8), _box(u, head - 2.7, 3.5, 2.7)
    return np.minimum(brim, crown), _box(u, head - 1.7, 3.5, 0.9)


def _ears(u, head, a):
    across = np.abs(u) - 0.52 * a
    return _ellipse(across, head - 1, 2.1, 4), _ellipse(across, head - 1.2, 0.9, 2.6)


def _belly(canvas, belly, body, u, v, a, b, colour) -> None:
    inside = body + 0.4
    patch = np.maximum(_ellipse(u - 0.12 * a, v + 0.62 * b, 0.66 * a, 0.5 * b), inside)
    stripes = np.maximum(np.abs(np.abs(v + 0.6 * b) - 0.27 * b) - 0.15 * b, inside)
    canvas.paint(np.where(_column(belly == 1), patch, 99), _CREAM)
    canvas.paint(np.where(_column(belly == 2), stripes, 99), 0.35 * colour)


def _face(canvas, eyes, u, v, a, b) -> None:
    one, shades = _column(eyes == 0), _column(eyes == 2)
    across, height = u - 0.3 * a, v - 0.28 * b
    radius = np.where(one, 0.46 * a, 0.31 * a)
    eye = _ellipse(np.where(one, across, np.abs(across) - 0.34 * a), height, radius, radius * 1.1)
    ahead = across - 0.14 * a
    pupil = _ellipse(np.where(one, ahead, np.abs(ahead) - 0.34 * a), height, 0.58 * radius, 0.64 * radius)
    glasses = _box(across, height, 0.66 * a, 0.27 * b) - 0.3
    glint = _box(across - 0.3 * a + 0.5 * height, height, 0.1 * a, 0.15 * b)
    canvas.paint(np.where(shades, glasses, eye), np.where(shades[:, :, 0], _DARK, _WHITE))
    canvas.paint(np.where(shades, glint, pupil), np.where(shades[:, :, 0], _WHITE, _DARK))
    smile = np.maximum(_ellipse(across, v + 0.2 * b, 1.7, 1.5), v + 0.2 * b)
    canvas.paint(smile, _DARK)
