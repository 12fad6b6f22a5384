"""Decodes an image file into a uint8 image of a given size."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dfv.data.dataset import DataError
from dfv.data.image_operations import Box, fit_boxes, on_white

MAX_PIXELS = 100_000_000
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_MAX_LISTED = 20
_SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_GREY = ("1", "L", "LA", *_SIXTEEN_BIT)
_ORIENTATION = 0x0112  # the EXIF tag
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def pixel_mode(path: Path) -> str:
    """Returns Pillow's mode of a file's pixels, from its header. Raises DataError."""
    with _open(path) as image:
        return image.mode


def shorter_side(path: Path) -> int | None:
    """Returns the smaller of height and width, from the file's header; None for a file that cannot be read."""
    try:
        with _open(path) as image:
            return min(image.size)
    except DataError:
        return None


def is_grey(mode: str) -> bool:
    """Returns whether pixels of a mode are grey; a palette counts as colour."""
    return mode in _GREY


def is_sixteen_bit(mode: str) -> bool:
    """Returns whether pixels of a mode have more than 8 bits."""
    return mode in _SIXTEEN_BIT


def highest_value(path: Path) -> int:
    """Returns the highest value of a grey file's pixels, before they are scaled. Raises DataError."""
    with _open(path) as image:
        try:
            return int(np.asarray(image).max())
        except Exception as error:
            raise _error(path, error) from error


def all_errors(paths: Iterable[Path]) -> dict[int, str]:
    """Returns row -> message for every file that cannot be decoded."""
    errors = {}
    for row, path in enumerate(paths):
        try:
            decode(path, 1, grey=False)
        except DataError as error:
            errors[row] = str(error)
    return errors


def one_error(errors: Iterable[str]) -> DataError | None:
    """Returns one error of `listed` messages, which names --skip_bad_images; None if there are none."""
    errors = list(errors)
    if not errors:
        return None
    return DataError(f"{listed(errors)}\nSet --skip_bad_images to continue without {'them' if errors[1:] else 'it'}.")


def listed(errors: Sequence[str]) -> str:
    """Returns the messages, one about each file, as one text; of more than 20 the first."""
    if len(errors) == 1:
        return errors[0]
    more = f"\n  ... and {len(errors) - _MAX_LISTED} more" if len(errors) > _MAX_LISTED else ""
    return "\n  ".join([f"{len(errors)} files cannot be used:", *errors[:_MAX_LISTED]]) + more


def decode(path: Path, size: int | tuple[int, int], grey: bool, fit: str = "crop") -> np.ndarray:
    """Returns the image as [height, width, 1 if grey, otherwise 3] uint8, shrunk by area or enlarged linearly.

    size: (height, width), or a number for both. fit: see DataConfig.fit.
    The EXIF orientation is applied; of several frames the first is read; transparent pixels become white.
    Raises DataError, which names the file.
    """
    height, width = (size, size) if isinstance(size, int) else size
    with _open(path) as opened:
        try:
            height_of_file, width_of_file = opened.height, opened.width
            # Large JPEG files are decoded at a fraction of their size.
            opened.draft(None, (2 * max(height, width),) * 2)
            image = _over_white(_eight_bits(_upright(opened))).convert("L" if grey else "RGB")
        except Exception as error:  # Pillow's decoders raise nearly anything for a damaged file
            raise _error(path, error) from error
    shape = height_of_file, width_of_file  # a fraction of it would round the width of bars differently
    if (image.width > image.height) != (width_of_file > height_of_file):
        shape = width_of_file, height_of_file
    shown, _ = fit_boxes((image.height, image.width), (height, width), fit)
    _, filled = fit_boxes(shape, (height, width), fit)
    pixels = np.asarray(_resize(image, shown, filled[3] - filled[1], filled[2] - filled[0]))
    return on_white(pixels[None, ..., None] if grey else pixels[None], filled, height, width)[0]


def _resize(image: Image.Image, box: Box, height: int, width: int) -> Image.Image:
    """Returns a box of the image at this size; an axis is shrunk by area or enlarged linearly.

    Pixels next to the box count where it is enlarged, as Pillow has it.
    """
    left, top, right, bottom = box
    across, down = (
        Image.Resampling.BOX if old > new else Image.Resampling.BILINEAR
        for old, new in ((right - left, width), (bottom - top, height))
    )
    if across != down:
        image = image.resize((width, image.height), across, box=(left, 0, right, image.height))
        box = (0, top, width, bottom)
    return image.resize((width, height), down, box=box)


def _open(path: Path) -> Image.Image:
    if os.path.exists(path) and not os.path.isfile(path):  # opening a named pipe would wait for a writer
        raise DataError(f"{path}: is not a file. Move it out.")
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


def _upright(image: Image.Image) -> Image.Image:
    """Applies the EXIF orientation; ImageOps.exif_transpose rewrites all tags, and fails if any of them is invalid."""
    image.load()  # a TIFF file is turned here, and loses the tag
    method = _TRANSPOSE.get(image.getexif().get(_ORIENTATION, 1))
    return image if method is None else image.transpose(method)


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode not in (*_SIXTEEN_BIT, "F"):
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
