"""One collection of unusual files, read by training, by the signatures of an exported model and by the page.

They are wider than high, so that the three ways to fit them into a square differ.
"""

import functools
import io
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from dfv.data.image_operations import fit_images
from dfv.data.sources.image_folder.decoding import decode
from dfv.model.codec import Codec
from export.demo.exported_model import ExportedModel
from export.demo.image_files import find_images
from export.image_bytes import decode_images
from export.signatures import signatures

SIDE, WIDTH = 24, 40
FITS = ("crop", "pad", "stretch")
SMOOTH = np.asarray(
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (3, 3, 4), np.uint8)).resize(
        (WIDTH, SIDE), Image.Resampling.BICUBIC
    )
)
COLOUR, GREY = SMOOTH[..., :3], SMOOTH[..., 0]
TOLERANCE = 2  # grey levels: 16-bit colours, which Pillow truncates; grey before or after resizing; the DCT


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def palette() -> Image.Image:
    return Image.fromarray(COLOUR).quantize(16)


def sixteen_bits(pixels: np.ndarray) -> bytes:
    return tf.io.encode_png(tf.constant(pixels.astype(np.uint16) * 257 + 100)).numpy()


def exif(orientation: int, byte_order: str = "<") -> bytes:
    """EXIF metadata with the orientation between two other tags."""
    magic = b"II" if byte_order == "<" else b"MM"
    entries = [(0x0100, 4, 1, 7), (0x010F, 2, 4, 0x616263), (0x0128, 3, 1, 2)]
    packed = [struct.pack(byte_order + "HHII", *entry) for entry in entries[:2]]
    packed.append(struct.pack(byte_order + "HHIHH", 0x0112, 3, 1, orientation, 0))
    packed.append(struct.pack(byte_order + "HHIHH", *entries[2], 0))
    count = struct.pack(byte_order + "H", len(packed))
    return b"Exif\0\0" + magic + struct.pack(byte_order + "HI", 42, 8) + count + b"".join(packed) + b"\0" * 4


def turned(orientation: int, **options: object) -> bytes:
    options = {"quality": 95, "exif": exif(orientation, "<>"[orientation % 2])} | options
    return saved(Image.fromarray(COLOUR), "JPEG", **options)


ZOO = {
    "rgb.png": saved(Image.fromarray(COLOUR)),
    "rgba.png": saved(Image.fromarray(SMOOTH)),
    "grey.png": saved(Image.fromarray(GREY)),
    "grey_alpha.png": saved(Image.fromarray(SMOOTH).convert("LA")),
    "grey_one_transparent_level.png": saved(Image.fromarray(GREY // 64 * 64), transparency=64),
    "rgb_one_transparent_colour.png": saved(Image.fromarray(COLOUR), transparency=tuple(map(int, COLOUR[3, 4]))),
    "one_bit.png": saved(Image.fromarray(GREY).convert("1")),
    "palette.png": saved(palette()),
    "palette_one_transparent_colour.png": saved(palette(), transparency=3),
    "palette_alpha.png": saved(palette(), transparency=bytes(range(0, 256, 16))),
    "grey_16.png": saved(Image.fromarray(GREY.astype(np.uint16) * 257 + 100)),
    "rgb_16.png": sixteen_bits(np.minimum(COLOUR, 254)),
    "rgba_16.png": sixteen_bits(np.minimum(SMOOTH, 254)),
    "rgb.jpg": saved(Image.fromarray(COLOUR), "JPEG", quality=95),
    "progressive.jpg": saved(Image.fromarray(COLOUR), "JPEG", quality=95, progressive=True),
    "grey.jpg": saved(Image.fromarray(GREY), "JPEG", quality=95),
    "cmyk.jpg": saved(Image.fromarray(COLOUR).convert("CMYK"), "JPEG", quality=95),
} | {f"turned_{orientation}.jpg": turned(orientation) for orientation in range(10)}


@functools.cache
def graph(shape: tuple[int, int, int], fit: str, whole_pixels: bool = True) -> tf.types.experimental.GenericFunction:
    return tf.function(
        lambda encoded: decode_images(encoded, shape, fit, whole_pixels),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )


def in_graph(encoded: Iterable[bytes], shape: tuple[int, int, int] = (SIDE, SIDE, 3), fit: str = "crop") -> np.ndarray:
    return graph(shape, fit)(tf.constant(list(encoded))).numpy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("zoo")
    for name, encoded in ZOO.items():
        (place / name).write_bytes(encoded)
    return place


@pytest.mark.parametrize(
    "shape", [(SIDE, SIDE, 1), (SIDE // 3, SIDE // 3, 3), (2 * SIDE, 2 * SIDE, 3), (30, 13, 1)], ids=str
)
@pytest.mark.parametrize("fit", FITS)
def test_the_graph_decodes_what_training_reads(folder, shape, fit):
    images = in_graph(ZOO.values(), shape, fit).astype(int)
    expected = [decode(folder / name, shape[:2], shape[2] == 1, fit) for name in ZOO]
    apart = {name: np.abs(image - other).max() for name, image, other in zip(ZOO, images, expected, strict=True)}
    assert {name: levels for name, levels in apart.items() if levels > TOLERANCE} == {}


@pytest.mark.parametrize("fit", FITS)
def test_the_graph_fits_images_as_those_of_other_data_sets(fit):
    received = graph((13, 30, 3), fit, whole_pixels=False)(tf.constant([ZOO["rgb.png"]])).numpy()
    assert np.abs(received.astype(int) - fit_images(COLOUR[None], 13, 30, fit)).max() <= 1


def test_large_photographs_have_the_same_pixels(tmp_path):
    """With noise, which decoding at a fraction of the size removes."""
    rows = []
    for number, shape in enumerate([(95, 130), (97, 97), (200, 150), (190, 700)]):
        pixels = np.random.default_rng(number).integers(0, 256, (*shape, 3), np.uint8)
        encoded = saved(Image.fromarray(pixels), "JPEG", quality=90, exif=exif(6))
        (tmp_path / f"{number}.jpg").write_bytes(encoded)
        rows.append(encoded)
    for fit in FITS:
        expected = [decode(tmp_path / f"{number}.jpg", SIDE, False, fit) for number in range(len(rows))]
        assert np.abs(in_graph(rows, fit=fit).astype(int) - expected).max() <= TOLERANCE


@pytest.mark.parametrize("shape", [(601, 1003), (1003, 601), (999, 1000), (2000, 31)])
def test_bars_are_as_wide_for_a_file_that_is_decoded_at_a_fraction_of_its_size(tmp_path, shape):
    """One colour, so that the bars' edges are all that can differ."""
    encoded = saved(Image.new("RGB", shape, "black"), "JPEG", exif=exif(6))
    (tmp_path / "large.jpg").write_bytes(encoded)
    expected = in_graph([encoded], fit="pad")[0]
    np.testing.assert_array_equal(decode(tmp_path / "large.jpg", SIDE, False, "pad"), expected)


def test_transparent_pixels_show_white():
    nothing = saved(Image.new("RGBA", (5, 5), (10, 20, 30, 0)))
    assert (in_graph([nothing]) == 255).all()


def test_each_orientation_gives_another_image():
    images = in_graph(turned(orientation) for orientation in range(1, 9))
    assert len({image.tobytes() for image in images}) == 8


def test_an_image_that_is_not_square_is_turned_before_it_is_resized(tmp_path):
    half = saved(Image.fromarray(COLOUR[: SIDE // 2]), "JPEG", quality=95, exif=exif(6))
    expected = Image.open(io.BytesIO(half)).transpose(Image.Transpose.ROTATE_270)
    received = in_graph([half], (WIDTH, SIDE // 2, 3))[0]
    assert np.abs(received.astype(int) - np.asarray(expected)).max() <= 1


def test_metadata_that_end_early_are_ignored_until_the_orientation_is_there():
    upright, on_its_side = in_graph([turned(1), turned(6)])
    received = in_graph(turned(6, exif=exif(6)[:length]) for length in range(8, 64))
    is_turned = [np.array_equal(image, on_its_side) for image in received]
    assert all(np.array_equal(image, upright) for image in received[: is_turned.index(True)])
    assert all(is_turned[is_turned.index(True) :])


def test_other_segments_and_a_thumbnail_do_not_hide_the_orientation():
    profile = bytes(100_000)  # two segments
    encoded = turned(8, icc_profile=profile, comment=b"Exif\0\0" * 10)
    np.testing.assert_array_equal(*in_graph([encoded, turned(8)]))


def test_signatures_and_page_take_every_file(exported, loaded, folder):
    on_page = ExportedModel(exported.parent)
    assert set(find_images(folder).paths) == set(ZOO)
    pixels = graph(on_page.image_shape, "crop", whole_pixels=False)(tf.constant(list(ZOO.values()))).numpy()
    expected = loaded["encode"](image=pixels)
    received = loaded["encode_bytes"](image_bytes=tf.constant(list(ZOO.values())))
    chosen = on_page.encode([str(folder / name) for name in ZOO])
    for key, page in zip(("s", "z_mean"), chosen, strict=True):
        np.testing.assert_allclose(received[key], expected[key], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(page, expected[key], rtol=1e-4, atol=1e-5)


def with_flags(model: Codec, **flags: object) -> Codec:
    config = model.get_config()
    config["flags"] |= flags
    changed = Codec.from_config(config)
    changed.encoder.set_weights(model.encoder.get_weights())
    return changed


@pytest.mark.parametrize("fit", FITS)
def test_signatures_of_an_image_folder_see_what_training_saw(colour_model, folder, fit):
    model = with_flags(colour_model, dataset="image_folder", image_dir="images", fit=fit)
    received = signatures(model)["encode_bytes"].function(tf.constant([ZOO["rgb.png"]]))["s"]
    seen = {fit: model.encode(decode(folder / "rgb.png", (8, 9), False, fit)[None]).s for fit in FITS}
    assert np.abs(seen["pad"] - seen["stretch"]).max() > 0.1
    np.testing.assert_allclose(received, seen[fit], atol=0.02)


def test_signatures_of_yaleb_stretch(colour_model):
    model = with_flags(colour_model, dataset="yaleb")
    received = signatures(model)["encode_bytes"].function(tf.constant([ZOO["rgb.png"]]))["s"]
    np.testing.assert_allclose(received, model.encode(fit_images(COLOUR[None], 8, 9, "stretch")).s, atol=0.02)


def test_a_model_of_an_earlier_version_crops(colour_model):
    config = colour_model.get_config()
    config["flags"] |= {"dataset": "image_folder", "image_dir": "images"}
    del config["flags"]["fit"]
    assert Codec.from_config(config).config.data.fit_in_training == "crop"
