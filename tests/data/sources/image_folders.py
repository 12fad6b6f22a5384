"""Image files, and folders of images that show their own numbers."""

import numpy as np
from PIL import Image

from dfv.config.schema import DataConfig


def write(path, pixels, **options):
    """Pixels (an array, or an image) as the file that the path's suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels))
    image.save(path, **options)
    return path


def plain(value, height=8, width=8):
    return np.full((height, width, 3), value, np.uint8)


def fill(folder, counts):
    """For each count an identity, whose images have the values 10 * identity + 0, 1, ..."""
    for number, count in enumerate(counts):
        for image in range(count):
            write(folder / f"id{number:02d}" / f"{image}.png", plain((10 * number + image, 0, 0)))
    return folder


def config(folder, **options):
    return DataConfig(dataset="image_folder", image_dir=str(folder), **{"image_size": 8, **options})


def values(part):
    """Image by image, what `fill` wrote."""
    images = part.images[np.arange(len(part))]
    return images[:, 0, 0, 0].tolist()
