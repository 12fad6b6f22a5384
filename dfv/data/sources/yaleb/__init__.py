"""Extended Yale B: 28 faces under about 64 illuminations each; the illumination is the unspecified factor."""

import hashlib

import numpy as np

from dfv.config.schema import DataConfig
from dfv.data.dataset import ImageSet, Splits

# The paper's 600 training and 180 test images.
TEST_FRACTION = 180 / 780
VALIDATION_FRACTION = 0.1


def split_of(names: np.ndarray, subject: np.ndarray, split_index: int) -> np.ndarray:
    """Returns [N] str: the split of each file, drawn within its subject by a hash of split_index and name."""
    digests = np.array([hashlib.sha256(f"{split_index}:{name}".encode()).hexdigest() for name in names])
    splits = np.full(len(names), "train", dtype="<U10")
    for number in np.unique(subject):
        rows = np.flatnonzero(subject == number)
        rows = rows[np.argsort(digests[rows])]
        num_test = round(len(rows) * TEST_FRACTION)
        num_validation = round((len(rows) - num_test) * VALIDATION_FRACTION)
        splits[rows[:num_test]] = "test"
        splits[rows[num_test : num_test + num_validation]] = "validation"
    return splits


def load(config: DataConfig) -> Splits:
    """Returns splits in the paper's ratio within every subject; see split_of.

    Images are square, 64 pixels by default, which changes the aspect ratio of the 192x168 photographs.
    Factors: azimuth and elevation of the light in degrees, and `pose` if there are several (the uncropped photographs
    have nine).
    """
    from dfv.data.sources.tfds_builders import manual_dir, prepare
    from dfv.data.sources.tfds_examples import as_int32, read_columns, read_images
    from dfv.data.sources.yaleb.builder import YaleB
    from dfv.data.sources.yaleb.reader import EXPECTED

    builder = YaleB(data_dir=config.data_dir or None)
    manual = manual_dir(builder, config)
    prepare(builder, EXPECTED.format(manual=manual), manual)
    columns = as_int32(read_columns(builder, "train", ["subject", "pose", "azimuth", "elevation", "name"]))
    subject = columns["subject"]
    factors = {name: columns[name] for name in ("azimuth", "elevation")}
    if len(np.unique(columns["pose"])) > 1:
        factors["pose"] = np.unique(columns["pose"], return_inverse=True)[1].astype(np.int32)
    splits = split_of(columns["name"].astype(str), subject, config.split_index)
    size = (config.image_size or 64,) * 2

    def part(split: str) -> ImageSet:
        keep = splits == split
        images = read_images(builder, "train", config, size=size, keep=keep)
        return ImageSet(images, subject[keep], factors={name: values[keep] for name, values in factors.items()})

    return Splits(part("train"), part("validation"), part("test"))
