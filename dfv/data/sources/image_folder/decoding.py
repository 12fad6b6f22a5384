"""One file to one square image of uint8."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dfv.data.dataset import DataError

MAX_PIXELS = 100_000_000
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_GREY = ("1", "L", "LA", *_DEEP)


def is_grey(path: Path) -> bool:
    """Whether the file's header says grey (a palette counts as colour); reads no pixels. Raises DataError."""
    with _open(path) as image:
        return image.mode in _GREY


def decode(path: Path, size: int, grey: bool) -> np.ndarray:
    """[size, size, 1 if grey, otherwise 3] uint8: the middle square, resized by area if it shrinks.

    Turned as its EXIF tag says; the first frame of several; what is transparent shows white.
    Raises DataError, which names the file.
    """
    with _open(path) as opened:
        try:
            opened.draft(None, (2 * size, 2 * size))  # large JPEG files are decoded at a fraction of their size
            ImageOps.exif_transpose(opened, in_place=True)
            image = _over_white(_eight_bits(opened)).convert("L" if grey else "RGB")
        except Exception as error:  # Pillow's decoders raise nearly anything for a damaged file
            raise _error(path, error) from error
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    resample = Image.Resampling.BOX if side > size else Image.Resampling.BILINEAR
    image = image.resize((size, size), resample, box=(left, top, left + side, top + side))
    return np.asarray(image).reshape(size, size, -1)


def _open(path: Path) -> Image.Image:
    try:
        image = Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    except Exception as error:
        raise _error(path, error) from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise _too_large(path)
    return image


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode not in (*_DEEP, "F"):
        return image
    pixels = np.asarray(image)
    if image.mode == "F" or pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError("its pixels have more than 16 bits")
    return Image.fromarray(np.rint(pixels / 257).astype(np.uint8))


def _over_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _too_large(path: Path) -> DataError:
    return DataError(f"{path}: expected at most {MAX_PIXELS // 10**6} megapixels. Save it smaller, or move it out.")


def _error(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError | PermissionError):
        return DataError(f"{path}: {error.strerror}. Restore it or change its permissions, or move it out.")
    return DataError(f"{path}: cannot be read as an image ({error}). Save it again as PNG or JPEG, or move it out.")
