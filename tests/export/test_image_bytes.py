"""Encoded images inside the graph, against Pillow and dfv's own resizing."""

import functools
import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from dfv.data.image_operations import resize, to_grey
from export.image_bytes import MAX_SIDE, decode_images, encode_images


@functools.cache
def graph(shape: tuple[int, int, int]) -> tf.types.experimental.GenericFunction:
    return tf.function(
        lambda encoded: decode_images(encoded, shape, "stretch", whole_pixels=False),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )


def decode(encoded: list[bytes], shape: tuple[int, int, int]) -> np.ndarray:
    return graph(shape)(tf.constant(encoded, tf.string)).numpy()


def save(pixels: np.ndarray, kind: str, mode: str | None = None, **options: object) -> bytes:
    image, file = Image.fromarray(pixels), io.BytesIO()
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """[height, width, 3] uint8 that JPEG keeps almost as it is."""
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("size", [(12, 10), (1, 1), (5, 40), (64, 3), (131, 77), (24, 20)])
def test_pngs_of_any_size_are_what_dfv_reads(size):
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    expected = resize(pixels[None], 12, 10)
    received = decode([save(pixels, "PNG")], (12, 10, 3))
    assert received.dtype == np.uint8 and np.abs(received.astype(int) - expected).max() <= 1
    in_grey = decode([save(pixels, "PNG")], (12, 10, 1))
    assert np.abs(in_grey.astype(int) - to_grey(expected)).max() <= 1


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_every_kind_of_png(mode):
    pixels = smooth(12, 10)
    if mode == "I;16":
        encoded, expected = save(pixels[..., 0].astype(np.uint16) * 257, "PNG"), pixels[..., :1]
    else:
        encoded = save(pixels, "PNG", mode)
        expected = np.asarray(Image.fromarray(pixels).convert(mode).convert("RGB"))
        expected = to_grey(expected[None])[0]
    assert np.abs(decode([encoded], (12, 10, 1))[0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpegs(options):
    pixels = smooth(48, 40)
    received = decode([save(pixels, "JPEG", quality=95, **options)], (24, 20, 3))
    assert np.abs(received.astype(int) - resize(pixels[None], 24, 20)).mean() < 3
    in_grey = decode([save(pixels, "JPEG", "L", quality=95)], (24, 20, 1))
    assert np.abs(in_grey.astype(int) - to_grey(resize(pixels[None], 24, 20))).mean() < 3


def test_rows_keep_their_order():
    images = np.stack([smooth(12, 10, seed) for seed in range(5)])
    np.testing.assert_array_equal(decode([save(image, "PNG") for image in images], (12, 10, 3)), images)


def test_images_come_back_from_png():
    images = np.stack([smooth(12, 10, seed) for seed in range(2)])
    for encoded, image in zip(encode_images(tf.constant(images)).numpy(), images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encoded))), image)
    assert encode_images(tf.zeros((0, 12, 10, 1), tf.uint8)).shape == (0,)


GOOD = save(smooth(12, 10), "PNG")


def png_header(height: int, width: int) -> bytes:
    return GOOD[:16] + struct.pack(">II", width, height) + GOOD[24:]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"", "something else in row"),
        (b"no image", "something else in row"),
        (GOOD[:20], "something else in row"),
        (GOOD[:60], "Invalid PNG|truncated"),
        (save(smooth(12, 10), "GIF"), "something else in row"),
        (save(smooth(12, 10), "BMP"), "something else in row"),
        (b"\xff\xd8\xff\xe0 no jpeg", "JPEG"),
        (save(smooth(12, 10), "JPEG")[:100], "JPEG"),
        (png_header(2**31 - 1, 2**31 - 1), "larger"),
        (png_header(0, 0), "Invalid PNG"),
        (png_header(1, MAX_SIDE + 1), "larger"),
        (png_header(6000, 6000), "larger"),
    ],
)
def test_what_is_no_image_is_refused_by_row(bad, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message) as caught:
        decode([GOOD, bad], (12, 10, 3))
    if "row" in message:
        assert "[1]" in str(caught.value)
