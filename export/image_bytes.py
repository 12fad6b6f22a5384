"""Encoded images inside the graph: PNG or JPEG of any size as the model's images, and images as PNG."""

import tensorflow as tf

# Rows are decoded one after the other, so an RGB image in float32, 400 MB at this limit, bounds the memory.
MAX_PIXELS = 2**25
MAX_SIDE = 2**14

_PNG_START, _JPEG_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff"
_PNG_HEADER_LENGTH = 24
_LUMINANCE = (0.299, 0.587, 0.114)  # as dfv.data weighs colours


def decode_images(encoded: tf.Tensor, image_shape: tuple[int, int, int]) -> tf.Tensor:
    """[N, H, W, C] uint8 of PNG or JPEG images [N]; resized as dfv.data resizes, each axis on its own.

    Fails if a row is neither, is broken, has more than MAX_PIXELS or a side of more than MAX_SIDE.
    """
    return tf.map_fn(
        lambda row: _decode(row[0], row[1], image_shape),
        (tf.range(tf.size(encoded)), encoded),
        fn_output_signature=tf.TensorSpec(image_shape, tf.uint8),
        parallel_iterations=1,
    )


def encode_images(images: tf.Tensor) -> tf.Tensor:
    """PNG [N] of images [N, H, W, C] uint8."""
    return tf.io.encode_png(images)


def _decode(row: tf.Tensor, encoded: tf.Tensor, image_shape: tuple[int, int, int]) -> tf.Tensor:
    height, width, channels = image_shape
    with tf.control_dependencies([_check_size(row, encoded)]):
        colour = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    pixels = _resize(tf.cast(tf.ensure_shape(colour, (None, None, 3)), tf.float32), height, width)
    if channels == 1:
        pixels = tf.reduce_sum(pixels * _LUMINANCE, -1, keepdims=True)
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8)


def _check_size(row: tf.Tensor, encoded: tf.Tensor) -> tf.Operation:
    """Reads the size in the header, before anything as large as the image is made."""
    long_enough = tf.strings.length(encoded) >= _PNG_HEADER_LENGTH
    is_png = long_enough & tf.equal(tf.strings.substr(encoded, 0, len(_PNG_START)), _PNG_START)
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, len(_JPEG_START)), _JPEG_START)
    kind = tf.debugging.Assert(is_png | is_jpeg, ["expected PNG or JPEG images; neither is row", row])
    with tf.control_dependencies([kind]):
        height, width = tf.unstack(tf.cond(is_png, lambda: _png_size(encoded), lambda: _jpeg_size(encoded)), 2)
    fits = (height * width <= MAX_PIXELS) & (tf.maximum(height, width) <= MAX_SIDE)
    text = f"expected images of at most {MAX_PIXELS} pixels and {MAX_SIDE} a side; larger (height, width) is row"
    size = [tf.as_string(height), tf.as_string(width)]
    return tf.debugging.Assert(fits, [text, row, *size])


def _png_size(encoded: tf.Tensor) -> tf.Tensor:
    size = tf.io.decode_raw(tf.strings.substr(encoded, 16, 8), tf.int32, little_endian=False)
    return tf.cast(tf.reverse(tf.ensure_shape(size, (2,)), [0]), tf.int64)


def _jpeg_size(encoded: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.image.extract_jpeg_shape(encoded)[:2], tf.int64)


def _resize(image: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """[height, width, 3] of an image [h, w, 3] float32."""
    old_height, old_width = tf.unstack(tf.shape(image)[:2])
    lines = _weights(old_height, height) @ tf.reshape(image, (old_height, old_width * 3))
    return _weights(old_width, width) @ tf.reshape(lines, (height, old_width, 3))


def _weights(size: tf.Tensor, new_size: int) -> tf.Tensor:
    """[new_size, size] float32, rows that sum to 1: by area when the axis shrinks, linear when it grows."""
    size = tf.cast(size, tf.float64)
    old, scale = tf.range(size), size / new_size
    edges = tf.range(new_size + 1, dtype=tf.float64) * scale
    by_area = tf.minimum(edges[1:, None], old + 1) - tf.maximum(edges[:-1, None], old)
    centres = tf.clip_by_value((tf.range(new_size, dtype=tf.float64) + 0.5) * scale - 0.5, 0.0, size - 1)
    linear = 1 - tf.abs(centres[:, None] - old)
    weights = tf.maximum(tf.where(scale >= 1, by_area, linear), 0)
    return tf.cast(weights / tf.reduce_sum(weights, 1, keepdims=True), tf.float32)
