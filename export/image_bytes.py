"""Decoding and encoding of images in the graph: PNG or JPEG of any size to the model's images, and back to PNG."""

import functools

import tensorflow as tf

from dfv.data.image_operations import LUMINANCE
from export.exif_orientation import jpeg_orientation, upright

# Rows are decoded one after the other, so that memory is bounded by one image at this limit: 400 MB as RGB in float32.
MAX_PIXELS = 2**25
MAX_SIDE = 2**14

_PNG_START, _JPEG_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff"
_PNG_DEPTH_AT = 24  # after width and height, 4 bytes each
_PNG_HEADER_LENGTH = _PNG_DEPTH_AT + 1


def decode_images(encoded: tf.Tensor, image_shape: tuple[int, int, int], fit: str, whole_pixels: bool) -> tf.Tensor:
    """Returns PNG or JPEG images [N] as [N, H, W, C] uint8.

    They are decoded as `dfv.data.sources.image_folder` decodes files: transparent pixels become white, 16 bits are
    rounded to 8, CMYK becomes RGB, and the EXIF orientation of a JPEG image is applied (of a PNG image it is ignored).
    fit: how they get the aspect ratio H : W, see DataConfig.fit.
    whole_pixels: whether images shrink as Pillow shrinks files for training: an old pixel counts in one new pixel only,
      and large JPEG images are decoded at a fraction of their size. Otherwise pixels count by the area that they share,
      as in `dfv.data.image_operations.resize`.
    Fails if a row is neither PNG nor JPEG, is damaged, or has more than MAX_PIXELS or a side of more than MAX_SIDE.
    """
    return tf.map_fn(
        lambda row: _decode(row[0], row[1], image_shape, fit, whole_pixels),
        (tf.range(tf.size(encoded)), encoded),
        fn_output_signature=tf.TensorSpec(image_shape, tf.uint8),
        parallel_iterations=1,
    )


def encode_images(images: tf.Tensor) -> tf.Tensor:
    """Returns images [N, H, W, C] uint8 as PNG [N]."""
    return tf.io.encode_png(images)


def _decode(
    row: tf.Tensor, encoded: tf.Tensor, image_shape: tuple[int, int, int], fit: str, whole_pixels: bool
) -> tf.Tensor:
    height, width, channels = image_shape
    side = max(height, width) if whole_pixels else None
    size = _checked_size(row, encoded)
    with tf.control_dependencies([size]):
        colour = tf.cond(_is_png(encoded), lambda: _decode_png(encoded), lambda: _decode_jpeg(encoded, side))
    colour = tf.ensure_shape(colour, (None, None, 3))
    is_turned = tf.argmax(tf.shape(colour)[:2]) != tf.argmax(size)
    size = tf.where(is_turned, tf.reverse(size, [0]), size)
    pixels = _fit(tf.cast(colour, tf.float32), size, height, width, fit, whole_pixels)
    if channels == 1:
        pixels = tf.reduce_sum(pixels * LUMINANCE, -1, keepdims=True)
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8)


def _decode_jpeg(encoded: tf.Tensor, side: int | None) -> tf.Tensor:
    """[h, w, 3] uint8, turned as EXIF says.

    side: decodes to a half, a quarter or an eighth as long as both sides keep twice this length, as Pillow's `draft`.
    """

    def at(ratio: int) -> tf.Tensor:  # Pillow decodes with the accurate DCT too
        return tf.io.decode_jpeg(encoded, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    if side is None:
        return upright(at(1), jpeg_orientation(encoded))
    fits = tf.reduce_min(_jpeg_size(encoded)) // (2 * side) >= (2, 4, 8)
    ratios = [functools.partial(at, ratio) for ratio in (1, 2, 4, 8)]
    return upright(tf.switch_case(tf.reduce_sum(tf.cast(fits, tf.int32)), ratios), jpeg_orientation(encoded))


def _decode_png(encoded: tf.Tensor) -> tf.Tensor:
    """[h, w, 3] uint8, on a white background."""
    depth = tf.io.decode_raw(tf.strings.substr(encoded, _PNG_DEPTH_AT, 1), tf.uint8)[0]
    rgba = tf.cond(
        tf.equal(depth, 16),
        lambda: _eight_bits(tf.io.decode_png(encoded, channels=4, dtype=tf.uint16)),
        lambda: tf.io.decode_png(encoded, channels=4),
    )
    return _over_white(rgba[..., :3], _alpha(rgba, depth))


def _eight_bits(pixels: tf.Tensor) -> tf.Tensor:
    """round(pixels / 257) of uint16, without a wider type."""
    return tf.cast(pixels // 257 + tf.cast(pixels % 257 > 128, tf.uint16), tf.uint8)


def _alpha(rgba: tf.Tensor, depth: tf.Tensor) -> tf.Tensor:
    """[h, w, 1] uint8. Of a PNG with 1 to 4 bits and no alpha the decoder fills in 2**depth - 1 instead of 255."""
    alpha = rgba[..., 3:]
    filled_in = tf.bitwise.left_shift(tf.constant(1, tf.uint8), tf.minimum(depth, 7)) - 1
    is_opaque = (depth < 8) & tf.reduce_all(alpha == filled_in)
    return tf.where(is_opaque, tf.constant(255, tf.uint8), alpha)


def _over_white(colour: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """round((alpha colour + (255 - alpha) 255) / 255); the products fit into uint16."""
    colour, alpha = tf.cast(colour, tf.uint16), tf.cast(alpha, tf.uint16)
    return tf.cast((colour * alpha + 255 * (255 - alpha) + 127) // 255, tf.uint8)


def _is_png(encoded: tf.Tensor) -> tf.Tensor:
    return tf.equal(tf.strings.substr(encoded, 0, len(_PNG_START)), _PNG_START)


def _checked_size(row: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
    """[height, width] int32 that the header states; checked before memory for the image is allocated."""
    is_png = (tf.strings.length(encoded) >= _PNG_HEADER_LENGTH) & _is_png(encoded)
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, len(_JPEG_START)), _JPEG_START)
    kind = tf.debugging.Assert(is_png | is_jpeg, ["expected PNG or JPEG images; received something else in row", row])
    with tf.control_dependencies([kind]):
        size = tf.cond(is_png, lambda: _png_size(encoded), lambda: _jpeg_size(encoded))
    height, width = tf.unstack(size, 2)
    fits = (height * width <= MAX_PIXELS) & (tf.maximum(height, width) <= MAX_SIDE)
    text = f"expected images of at most {MAX_PIXELS} pixels and {MAX_SIDE} a side; larger (height, width) is row"
    with tf.control_dependencies([tf.debugging.Assert(fits, [text, row, tf.as_string(height), tf.as_string(width)])]):
        return tf.cast(size, tf.int32)


def _png_size(encoded: tf.Tensor) -> tf.Tensor:
    size = tf.io.decode_raw(tf.strings.substr(encoded, 16, 8), tf.int32, little_endian=False)
    return tf.cast(tf.reverse(tf.ensure_shape(size, (2,)), [0]), tf.int64)


def _jpeg_size(encoded: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.image.extract_jpeg_shape(encoded)[:2], tf.int64)


def _fit(image: tf.Tensor, size: tf.Tensor, height: int, width: int, fit: str, whole_pixels: bool) -> tf.Tensor:
    """[height, width, 3] of an image [h, w, 3] float32; as `dfv.data.image_operations.fit_images`.

    size: [height, width] of the file, of which the image may be a fraction.
    """
    old, new = tf.shape(image)[:2], tf.constant((height, width))
    shown = _largest_inside(new, old) if fit == "crop" else old
    filled = _largest_inside(size, new) if fit == "pad" else new
    resized = _resize(image, shown, filled, whole_pixels)
    before = (new - filled) // 2
    bars = tf.concat([tf.stack([before, new - filled - before], 1), [[0, 0]]], 0)
    return tf.ensure_shape(tf.pad(resized, bars, constant_values=255.0), (height, width, 3))


def _largest_inside(shape: tf.Tensor, limit: tf.Tensor) -> tf.Tensor:
    """The largest [height, width] within the limit that has the aspect ratio of a shape; all int32."""
    other = tf.reverse(shape, [0])
    return tf.clip_by_value((2 * tf.reverse(limit, [0]) * shape + other) // (2 * other), 1, limit)


def _resize(image: tf.Tensor, shown: tf.Tensor, new: tf.Tensor, whole_pixels: bool) -> tf.Tensor:
    """The middle of an image [h, w, 3] float32, of the size `shown` [2], at the size `new` [2]; both int32."""
    height, width = tf.unstack(tf.shape(image)[:2])
    lines = _weights(height, shown[0], new[0], whole_pixels) @ tf.reshape(image, (height, width * 3))
    return _weights(width, shown[1], new[1], whole_pixels) @ tf.reshape(lines, (new[0], width, 3))


def _weights(size: tf.Tensor, shown: tf.Tensor, new_size: tf.Tensor, whole_pixels: bool) -> tf.Tensor:
    """[new_size, size] float32, rows that sum to 1: by area when the axis shrinks, linear when it grows."""
    start = tf.cast((size - shown) // 2, tf.float64)
    size, shown, new_size = (tf.cast(number, tf.float64) for number in (size, shown, new_size))
    old = tf.range(size)
    # A plain division by a constant would become a product with its reciprocal, which rounds differently.
    scale = tf.math.divide_no_nan(shown, new_size)
    centres = start + (tf.range(new_size) + 0.5) * scale
    if whole_pixels:
        shrunk = _box_filter(old, centres[:, None], scale)
    else:
        edges = start + tf.range(new_size + 1) * scale
        shrunk = tf.minimum(edges[1:, None], old + 1) - tf.maximum(edges[:-1, None], old)
    grown = 1 - tf.abs(tf.clip_by_value(centres - 0.5, 0.0, size - 1)[:, None] - old)
    weights = tf.maximum(tf.where(scale >= 1, shrunk, grown), 0)
    return tf.cast(weights / tf.reduce_sum(weights, 1, keepdims=True), tf.float32)


def _box_filter(old: tf.Tensor, centres: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """1 where Pillow's box filter counts an old pixel, else 0; both conditions are Pillow's, for rounding at edges."""
    position = (old - centres + 0.5) * (1 / scale)
    first, end = (tf.floor(centres + sign * 0.5 * scale + 0.5) for sign in (-1, 1))
    return tf.cast((position > -0.5) & (position <= 0.5) & (old >= first) & (old < end), tf.float64)
