"""A small model with a run folder, and a folder of image files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dfv.apply.__main__ import main
from dfv.config.schema import Config
from dfv.model.codec import Codec
from dfv.model.disentangler import Disentangler
from dfv.training.model_files import ModelFile

FLAGS = {"widths": (4, 6, 8), "adversary_widths": (4, 6, 8), "s_dim": 5, "z_dim": 6}


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory) -> Path:
    """A run of 12x12 colour images, whose weights are so large that images differ with both codes."""
    folder = tmp_path_factory.mktemp("run")
    model = Disentangler(Config.of(**FLAGS), (12, 12, 3), (3,))
    heads = [model.encoder.s_head, model.encoder.z_head, model.decoder.from_s, model.decoder.from_z]
    for layer in [*heads, *model.decoder.stack.layers]:
        if hasattr(layer, "kernel"):
            layer.kernel.assign(4.0 * layer.kernel)
    ModelFile(model, folder).save()
    return folder


@pytest.fixture(scope="session")
def model(run_dir) -> Codec:
    from dfv.training.model_files import load

    return load(run_dir)


@pytest.fixture(scope="session")
def images() -> dict[str, np.ndarray]:
    """Name of a file -> its image, [12, 12, 3] uint8, in the order of the names."""
    names = ("anna/1.png", "anna/2.bmp", "ben/old/3.webp", "ben/1.png", "ben/2.PNG")
    pixels = np.random.default_rng(0).integers(0, 256, (len(names), 12, 12, 3), np.uint8)
    return dict(sorted(zip(names, pixels, strict=True)))


@pytest.fixture
def folder(images, tmp_path) -> Path:
    """The files, and one that is no image."""
    place = tmp_path / "photos"
    for name, image in images.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / name, lossless=True)
    (place / "anna" / "notes.txt").touch()
    return place


@pytest.fixture
def apply(run_dir, model, monkeypatch) -> Callable[..., int]:
    """Runs the program on the run of `model`; returns its exit status."""
    monkeypatch.setattr("dfv.apply.__main__.load", lambda name: model)
    return lambda mode, **flags: main(
        [f"--mode={mode}", f"--run_dir={run_dir}", *(f"--{n}={v}" for n, v in flags.items())]
    )


@pytest.fixture
def encoded_rows(model, monkeypatch) -> list[int]:
    """The number of images of each call of `Codec.encode`."""
    rows: list[int] = []
    encode = model.encode

    def counted(images):
        rows.append(len(images))
        return encode(images)

    monkeypatch.setattr(model, "encode", counted)
    return rows
