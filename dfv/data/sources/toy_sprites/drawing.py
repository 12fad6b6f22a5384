"""Draws characters.

Lengths are in units of 1/32 of the image's side; x points right from the centre, y up from the ground.
Only operations that IEEE 754 specifies exactly are used, and images are drawn independently: an image is the same on
every machine and in every batch.
"""

from dataclasses import dataclass

import numpy as np

from dfv.data.sources.toy_sprites.canvas import FAR, Array, Canvas, box, ellipse, radial, rgb
from dfv.data.sources.toy_sprites.characters import Characters, Poses
from dfv.data.sources.toy_sprites.scenery import GROUND, TINT, backgrounds

_CHUNK_PIXELS = 2**15  # drawn at a time; more exceed the processor's cache and take twice as long

# For each shape: half width, half height, taper towards the top, squareness.
_BODY = np.array([(6.9, 6.7, 0, 0), (5.1, 7.2, 0, 0.2), (7.4, 5.9, 0, 1), (5.9, 7, 0.5, 0.3)], np.float32)
# For each colour: hue, saturation, value.
_COLOUR = np.array(
    [(0, 0.75, 0.9), (0.82, 0.78, 1), (1.95, 0.7, 0.75), (2.95, 0.62, 0.95), (3.75, 0.75, 0.95), (5.15, 0.5, 1)],
    np.float32,
)
_JUMP = np.array([0, 2.5, 5], np.float32)
_ARMS = np.array([(-1, -1), (1, -1), (1, 1)], np.float32)  # front arm, rear arm; 1: up, -1: down
_HAT = np.array([(0, 0, 0), (0.98, 0.45, 0.2), (0.36, 0.28, 0.5), (0, 0, 0)], np.float32)  # ears have the body's colour
_TRIM = np.array([(0, 0, 0), (1, 0.95, 0.8), (0.95, 0.75, 0.25), (1, 0.75, 0.78)], np.float32)
_DARK, _WHITE, _CREAM = np.array([(0.16, 0.13, 0.22), (1, 1, 1), (1, 0.93, 0.8)], np.float32)


def render(characters: Characters, poses: Poses, image_size: int = 32) -> Array:
    """Returns the images [N, image_size, image_size, 3] uint8 of these characters in these poses."""
    images = np.empty((len(characters), image_size, image_size, 3), np.uint8)
    chunk = max(1, _CHUNK_PIXELS // image_size**2)
    for start in range(0, len(images), chunk):
        rows = slice(start, start + chunk)
        images[rows] = _draw(characters.take(rows), poses.take(rows), image_size)
    return images


@dataclass(frozen=True)
class _Figure:
    """A character's body.

    u, v: [N, H, W] coordinates from its centre, u forwards, v up. a, b: half width and half height.
    distance: [N, H, W] signed distance to its outline. colour: [N, 3].
    """

    u: Array
    v: Array
    a: Array
    b: Array
    distance: Array
    colour: Array


def _draw(characters: Characters, poses: Poses, size: int) -> Array:
    place = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(32 / size)
    x, y = place[None, None, :] - 16, GROUND - place[None, :, None]
    canvas = Canvas(backgrounds(size)[poses.light], TINT[poses.light])
    jump = _each(_JUMP[poses.jump])
    figure = _figure(characters, x * _each(poses.facing.astype(np.float32) * 2 - 1), y - jump)
    canvas.paint(ellipse(x, y, figure.a + 2 - 0.45 * jump, 1.9 - 0.12 * jump), _DARK, 0.42 - 0.03 * jump)
    hat, trim = _hats(characters.hat, figure)
    limbs = _limbs(figure, _ARMS[poses.arms])
    canvas.paint(np.minimum(np.minimum(figure.distance, limbs), hat) - 0.85, figure.colour * 0.3)
    canvas.paint(limbs, figure.colour * 0.82)
    has_ears = _each(characters.hat == 3)
    canvas.paint(np.where(has_ears, hat, FAR), figure.colour * 0.9)
    canvas.paint(np.where(has_ears, trim, FAR), _TRIM[characters.hat])
    light = 1 + 0.2 * np.clip(figure.v / figure.b, -1, 1) - 0.1 * np.clip(x / figure.a, -1, 1)
    canvas.paint(figure.distance, np.minimum(figure.colour[..., None, None] * light[:, None], 1))
    _paint_belly(canvas, characters.belly, figure)
    _paint_face(canvas, characters.eyes, figure)
    canvas.paint(np.where(has_ears, FAR, hat), _HAT[characters.hat])
    canvas.paint(np.where(has_ears, FAR, trim), _TRIM[characters.hat])
    return canvas.as_uint8()


def _each(values: Array) -> Array:
    """Reshapes [N] to [N, 1, 1], to broadcast with [N, H, W]."""
    return values[:, None, None]


def _figure(characters: Characters, ahead: Array, height: Array) -> _Figure:
    """Returns the body at these coordinates: forwards from its centre, upwards from its feet."""
    hue_shift, size_shift = characters.details()
    hue, saturation, value = _COLOUR[characters.colour].T
    colour = rgb(hue + np.float32(0.09) * hue_shift, saturation, value)
    scale = _each(1 + np.float32(0.03) * size_shift)
    a, b, taper, square = (_each(values) for values in _BODY[characters.shape].T)
    u, v = ahead / scale, (height - 0.6) / scale - b - 0.4
    e, f = (u / (a * (1 - taper * np.clip(v / b, -1, 1)))) ** 2, (v / b) ** 2
    e4, f4 = e * e, f * f
    e4, f4 = e4 * e4, f4 * f4
    rounded = np.sqrt(e + f)
    squared = np.sqrt(np.sqrt(np.sqrt(e4 + f4)))
    return _Figure(u, v, a, b, radial(u, v, rounded + square * (squared - rounded)), colour)


def _limbs(figure: _Figure, up: Array) -> Array:
    """Returns the distance to the feet and arms; the arms are strokes from the shoulders, up (1) or down (-1)."""
    u, v, a, b = figure.u, figure.v, figure.a, figure.b
    feet = ellipse(np.abs(u - 0.9) - 0.48 * a, v + b + 0.1, 2.3, 1.5)
    direction = np.where(u > 0, _each(up[:, 0]), _each(up[:, 1]))
    across, along = np.abs(u) - 0.8 * a, (v + 0.05 * b) * direction
    reach, rise = 0.2 * a + 3.2, np.where(direction > 0, 0.62 * b, 0.4 * b)
    part = np.clip((across * reach + along * rise) / (reach * reach + rise * rise), 0, 1)
    arms = np.sqrt((across - part * reach) ** 2 + (along - part * rise) ** 2) - 1.3
    return np.minimum(feet, arms)


def _hats(hat: Array, figure: _Figure) -> tuple[Array, Array]:
    """Returns the distances to the hat and to its trim; FAR for characters without a hat."""
    distance, trim = np.full((2, *figure.distance.shape), FAR, np.float32)
    above = figure.v - figure.b
    for kind, shape in ((1, _cone), (2, _top_hat), (3, _ears)):
        rows = np.flatnonzero(hat == kind)
        distance[rows], trim[rows] = shape(np.abs(figure.u[rows]), above[rows], figure.a[rows])
    return distance, trim


def _cone(across: Array, above: Array, a: Array) -> tuple[Array, Array]:
    cone = np.maximum(0.85 * (across - 0.66 * (5.2 - above)), -0.9 - above)
    bobble = np.sqrt(across * across + (above - 5) ** 2) - 1.5
    trim = np.minimum(bobble, box(across, above + 0.5, 4.4, 0.75))
    return np.minimum(cone, trim), trim


def _top_hat(across: Array, above: Array, a: Array) -> tuple[Array, Array]:
    hat = np.minimum(box(across, above, 5.6, 0.8), box(across, above - 2.7, 3.5, 2.7))
    return hat, box(across, above - 1.7, 3.5, 0.9)


def _ears(across: Array, above: Array, a: Array) -> tuple[Array, Array]:
    offset = across - 0.52 * a
    return ellipse(offset, above - 1, 2.1, 4), ellipse(offset, above - 1.2, 0.9, 2.6)


def _paint_belly(canvas: Canvas, belly: Array, figure: _Figure) -> None:
    u, v, a, b = figure.u, figure.v, figure.a, figure.b
    inside = figure.distance + 0.4
    patch = np.maximum(ellipse(u - 0.12 * a, v + 0.62 * b, 0.66 * a, 0.5 * b), inside)
    stripes = np.maximum(np.abs(np.abs(v + 0.6 * b) - 0.27 * b) - 0.15 * b, inside)
    canvas.paint(np.where(_each(belly == 1), patch, FAR), _CREAM)
    canvas.paint(np.where(_each(belly == 2), stripes, FAR), 0.35 * figure.colour)


def _paint_face(canvas: Canvas, eyes: Array, figure: _Figure) -> None:
    """Paints one eye, two eyes, or sunglasses with a glint, ahead of the centre to show the viewing direction."""
    u, v, a, b = figure.u, figure.v, figure.a, figure.b
    one, shades = _each(eyes == 0), _each(eyes == 2)
    across, above = u - 0.3 * a, v - 0.28 * b
    radius = np.where(one, 0.46 * a, 0.31 * a)
    spacing = np.where(one, 0, 0.34 * a)
    eye = ellipse(_mirrored(across, spacing), above, radius, radius * 1.1)
    pupil = ellipse(_mirrored(across - 0.14 * a, spacing), above, 0.58 * radius, 0.64 * radius)
    glasses = box(across, above, 0.66 * a, 0.27 * b) - 0.3
    glint = box(across - 0.3 * a + 0.5 * above, above, 0.1 * a, 0.15 * b)
    canvas.paint(np.where(shades, glasses, eye), np.where(shades[:, :, 0], _DARK, _WHITE))
    canvas.paint(np.where(shades, glint, pupil), np.where(shades[:, :, 0], _WHITE, _DARK))
    canvas.paint(np.maximum(ellipse(across, v + 0.2 * b, 1.7, 1.5), v + 0.2 * b), _DARK)


def _mirrored(across: Array, spacing: Array) -> Array:
    """Distance to the nearer of two points at +-spacing."""
    return np.abs(across) - spacing
