"""Image files of any format, mode and size as square uint8 pixels, or what is said of those that cannot be."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from dfv.data.dataset import DataError
from dfv.data.sources.image_folder.decoding import decode, is_grey, pixel_mode
from tests.data.sources.image_folders import plain, write


def four_quarters(size=16):
    """Red, green over blue, white."""
    pixels = np.zeros((size, size, 3), np.uint8)
    half = size // 2
    pixels[:half, :half], pixels[:half, half:] = (255, 0, 0), (0, 255, 0)
    pixels[half:, :half], pixels[half:, half:] = (0, 0, 255), (255, 255, 255)
    return pixels


@pytest.mark.parametrize(
    ("suffix", "options", "tolerance"),
    [("png", {}, 0), ("bmp", {}, 0), ("gif", {}, 0), ("tiff", {}, 0), ("tif", {"compression": "tiff_lzw"}, 0),
     ("ppm", {}, 0), ("webp", {"lossless": True}, 0), ("JPG", {"quality": 95, "subsampling": 0}, 12),
     ("webp", {"quality": 95}, 25)],
)  # fmt: skip
def test_colour_formats(tmp_path, suffix, options, tolerance):
    path = write(tmp_path / f"image.{suffix}", four_quarters(), **options)
    image = decode(path, 16, grey=False)
    assert image.shape == (16, 16, 3) and image.dtype == np.uint8 and not is_grey(pixel_mode(path))
    assert np.abs(image.astype(int) - four_quarters())[2:6, 2:6].max() <= tolerance
    assert np.abs(image.astype(int) - four_quarters())[10:14, 10:14].max() <= tolerance


@pytest.mark.parametrize("suffix", ["png", "bmp", "pgm", "tif", "jpg"])
def test_grey_formats(tmp_path, suffix):
    ramp = np.repeat(np.arange(0, 256, 16, dtype=np.uint8)[None], 16, 0)
    path = write(tmp_path / f"image.{suffix}", ramp)
    assert is_grey(pixel_mode(path))
    np.testing.assert_allclose(decode(path, 16, grey=True)[:, :, 0], ramp, atol=2)
    np.testing.assert_allclose(decode(path, 16, grey=False), np.repeat(ramp[..., None], 3, 2), atol=2)


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_sixteen_bits_are_scaled(tmp_path, suffix):
    deep = (np.arange(256, dtype=np.uint16) * 256 + 77).reshape(16, 16)
    path = write(tmp_path / f"deep.{suffix}", deep)
    assert is_grey(pixel_mode(path))
    np.testing.assert_array_equal(decode(path, 16, grey=True)[:, :, 0], np.rint(deep / 65535 * 255))


def test_other_modes(tmp_path):
    one_bit = write(tmp_path / "bits.png", Image.fromarray(four_quarters()[:, :, 0]).convert("1"))
    np.testing.assert_array_equal(decode(one_bit, 16, grey=True)[:, :, 0], four_quarters()[:, :, 0])
    palette = write(tmp_path / "palette.png", Image.fromarray(four_quarters()).quantize(4))
    np.testing.assert_array_equal(decode(palette, 16, grey=False), four_quarters())
    cmyk = write(tmp_path / "cmyk.tif", Image.fromarray(four_quarters()).convert("CMYK"))
    np.testing.assert_array_equal(decode(cmyk, 16, grey=False), four_quarters())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_exif_orientation(tmp_path, orientation, suffix):
    """Against the definition: the stored row 0 and column 0 are these sides of the picture."""
    turned = {
        1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1], 4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2), 6: lambda p: np.rot90(p, -1),
        7: lambda p: np.rot90(p, 2).transpose(1, 0, 2), 8: lambda p: np.rot90(p, 1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = write(tmp_path / f"turned.{suffix}", four_quarters(), exif=exif)
    image = decode(path, 2, grey=False).astype(int)
    np.testing.assert_allclose(image, turned[orientation](four_quarters())[4::8, 4::8], atol=25)


def test_an_invalid_exif_tag_does_not_matter(tmp_path):
    """A signed rational -1/0 among the GPS data, which Pillow reads but cannot write again."""
    entries = [struct.pack(">HHII", 0x0112, 3, 1, 6 << 16), struct.pack(">HHII", 0x8825, 4, 1, 38)]
    gps = struct.pack(">HHHIII", 1, 6, 10, 1, 56, 0) + struct.pack(">iI", -1, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + b"".join(entries) + bytes(4) + gps
    path = write(tmp_path / "gps.jpg", four_quarters(), exif=exif, quality=95, subsampling=0)
    expected = np.rot90(four_quarters(), -1)[4::8, 4::8]
    np.testing.assert_allclose(decode(path, 2, grey=False).astype(int), expected, atol=25)


def test_transparent_pixels_show_white(tmp_path):
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:] = (0, 0, 0, 255)
    pixels[:4, :4] = (200, 0, 0, 128)
    image = decode(write(tmp_path / "alpha.png", pixels), 8, grey=False)
    assert (image[4:, :4] == 255).all() and (image[:, 4:] == 0).all()
    np.testing.assert_allclose(image[0, 0], 255 + (np.array([200, 0, 0]) - 255) * 128 / 255, atol=1)
    grey = write(tmp_path / "grey.png", Image.fromarray(np.array([[[0, 0], [0, 255]]], np.uint8), "LA"))
    assert is_grey(pixel_mode(grey)) and decode(grey, 1, grey=True).item() == 255


def test_transparent_palette_shows_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8).repeat(2, 0), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    path = write(tmp_path / "palette.gif", image, transparency=1)
    np.testing.assert_array_equal(decode(path, 2, grey=False)[0], [(10, 20, 30), (255, 255, 255)])


def test_first_frame_of_several(tmp_path):
    frames = [Image.fromarray(plain(value)) for value in (200, 100)]
    path = write(tmp_path / "moving.gif", frames[0], save_all=True, append_images=frames[1:])
    assert (decode(path, 8, grey=False) == 200).all()


@pytest.mark.parametrize(("height", "width"), [(4, 10), (10, 4), (5, 4)])
def test_the_middle_square_is_kept(tmp_path, height, width):
    pixels = np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    image = decode(write(tmp_path / "image.png", pixels), side, grey=False)
    np.testing.assert_array_equal(image, pixels[top : top + side, left : left + side])


def test_bars_are_white_and_the_whole_image_is_between_them(tmp_path):
    pixels = np.random.default_rng(0).integers(250, size=(6, 10, 3), dtype=np.uint8)
    image = decode(write(tmp_path / "image.png", pixels), 10, grey=False, fit="pad")
    np.testing.assert_array_equal(image[2:8], pixels)
    assert (image[:2] == 255).all() and (image[8:] == 255).all()


def test_an_axis_that_shrinks_is_averaged_while_the_other_grows_linearly(tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(4, 20, 3), dtype=np.uint8)
    image = decode(write(tmp_path / "image.png", pixels), (8, 5), grey=False, fit="stretch")
    means = pixels.reshape(4, 5, 4, 3).mean(2)
    np.testing.assert_allclose(image[0], means[0], atol=1)
    np.testing.assert_allclose(image[1], 0.75 * means[0] + 0.25 * means[1], atol=1)


def test_shrunk_by_area(tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(24, 24, 3), dtype=np.uint8)
    image = decode(write(tmp_path / "image.png", pixels), 8, grey=False)
    np.testing.assert_allclose(image, pixels.reshape(8, 3, 8, 3, 3).mean((1, 3)), atol=1)


def test_large_jpeg_is_shrunk_by_area(tmp_path):
    """Smooth, since the format is lossy; 512 to 16 is where the decoder itself shrinks."""
    x, y = np.meshgrid(np.arange(512), np.arange(512))
    pixels = np.stack([x // 2, y // 2, 128 + 60 * np.sin(x / 40)], -1).astype(np.uint8)
    image = decode(write(tmp_path / "image.jpg", pixels, quality=95), 16, grey=False)
    np.testing.assert_allclose(image, pixels.reshape(16, 32, 16, 32, 3).mean((1, 3)), atol=3)


def test_grown_linearly(tmp_path):
    path = write(tmp_path / "image.png", np.array([[0, 100], [0, 100]], np.uint8))
    np.testing.assert_array_equal(decode(path, 4, grey=True)[0, :, 0], [0, 25, 75, 100])


def test_a_wrong_suffix_does_not_matter(tmp_path):
    path = write(tmp_path / "image.png", four_quarters())
    path = path.rename(tmp_path / "image.jpg")
    np.testing.assert_array_equal(decode(path, 16, grey=False), four_quarters())


def png_of_size(path, width, height):
    """A PNG file whose header announces this size, with no pixels."""
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT"]
    content = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(content))
    return path


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(10_001, 10_000), (60_000, 60_000)])
def test_too_many_pixels(tmp_path, size):
    path = png_of_size(tmp_path / "bomb.png", *size)
    with pytest.raises(DataError, match=r"bomb\.png: expected at most 100 megapixels.*smaller"):
        is_grey(pixel_mode(path))


def test_damaged_files_are_named(tmp_path):
    whole = write(tmp_path / "whole.jpg", four_quarters(64)).read_bytes()
    (tmp_path / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "empty.gif").touch()
    png_of_size(tmp_path / "header.png", 8, 8)
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    for name in ("truncated.jpg", "text.png", "empty.gif", "header.png", "link.png"):
        with pytest.raises(DataError, match=f"{name}: .* move it out"):
            decode(tmp_path / name, 8, grey=False)


def test_floating_point_pixels_are_refused(tmp_path):
    path = write(tmp_path / "float.tif", np.zeros((8, 8), np.float32))
    with pytest.raises(DataError, match="more than 16 bits"):
        decode(path, 8, grey=False)
