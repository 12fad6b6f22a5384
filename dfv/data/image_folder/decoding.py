"""One file to one square image of uint8."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dfv.data.image_set import DataError

MAX_PIXELS = 100_000_000
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N")


def is_grey(path: Path) -> bool:
    """Whether the file has no colours, as its header says; reads no pixels."""
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
            image = ImageOps.exif_transpose(_eight_bits(opened))
            image = _over_white(image).convert("L" if grey else "RGB")
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
    if image.mode == "F" or not image.mode.startswith("I"):
        if image.mode == "F":
            raise ValueError("it has floating-point pixels; save it with 8 or 16 bits")
        return image
    pixels = np.asarray(image)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError("it has more than 16 bits a pixel; save it with 8 or 16")
    reduced = Image.fromarray(np.rint(pixels / 257).astype(np.uint8))
    reduced.info = image.info
    return reduced


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
