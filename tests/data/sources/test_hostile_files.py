"""Files with anything in them: read as what they are or refused in words; no crash, no hang, nothing written.

A seeded mutation fuzzer. DFV_FUZZ_CASES says how many cases each kind of file gets, a hundred by default; the
splits of Sprites, which take a process each, get a tenth.
"""

import io
import os
import signal
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import test_sprites
import test_yaleb
from PIL import Image

from dfv.config.schema import ConfigError, DataConfig
from dfv.data import DataError
from dfv.data.cache import RecordImages, store
from dfv.data.sources.image_folder.decoding import decode
from dfv.data.sources.image_folder.image_list import read_list
from dfv.data.sources.sprites import reader
from dfv.data.sources.sprites.reader import read_character, read_splits
from dfv.data.sources.yaleb import reader as yaleb
from dfv.main import parse_config

CASES = int(os.environ.get("DFV_FUZZ_CASES", "100"))
SECONDS_EACH = 20
NUMBERS = [b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"99999999", b"-1", b"\x80\x00\x00\x00"]


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """The content with one to eight changes: bytes, numbers at the edge, pieces cut out, repeated or moved."""
    data = bytearray(content)
    for _ in range(random.integers(1, 9)):
        # Headers are short and decide much, so half of the changes are in the first 64 bytes.
        at = int(random.integers(0, max(len(data), 1) if random.random() < 0.5 else min(max(len(data), 1), 64)))
        length = int(random.integers(1, 64))
        match random.integers(5):
            case 0:
                data[at : at + 1] = bytes([random.integers(256)])
            case 1:
                number = NUMBERS[random.integers(len(NUMBERS))]
                data[at : at + len(number)] = number
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case _ if random.random() < 0.2:
                del data[at:]
    return bytes(data)


@contextmanager
def in_time() -> Iterator[None]:
    def hangs(number: int, frame: object) -> None:
        raise TimeoutError(f"not done within {SECONDS_EACH} s")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(SECONDS_EACH)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fuzz(
    good: list[bytes],
    path: Path,
    read: Callable[[], object],
    refusals: tuple[type[Exception], ...],
    cases: int = CASES,
) -> int:
    """Reads `cases` mutated files at `path`; gives how many were refused. Nothing but `path` may be written."""
    random, refused = np.random.default_rng(0), 0
    path.write_bytes(good[0])
    read()
    before = sorted(path.parent.rglob("*"))
    for case in range(cases):
        path.write_bytes(mutated(good[case % len(good)], random))
        try:
            with in_time():
                read()
        except refusals as error:
            assert len(str(error)) > 20
            refused += 1
    assert sorted(path.parent.rglob("*")) == before
    return refused


def encoded(kind: str, **options) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_image_files(kind, tmp_path):
    path = tmp_path / f"image.{kind.lower()}"

    def read() -> None:
        assert decode(path, 16, grey=False).shape == (16, 16, 3)

    assert fuzz([encoded(kind)], path, read, (DataError,)) > CASES // 20


def test_a_yale_archive(tmp_path):
    files = {
        test_yaleb.file_name(11, 0, light): test_yaleb.pgm(np.full((192, 168), light, np.uint8)) for light in (0, 5)
    }
    archives = []
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", compression) as members:
            for name, content in files.items():
                members.writestr(name, content)
        archives.append(archive.getvalue())
    (tmp_path / "yaleb").mkdir()

    def read() -> None:
        for photograph in yaleb.read(tmp_path):
            assert photograph.image.shape == (192, 168)

    assert fuzz(archives, tmp_path / "yaleb" / "CroppedYale.zip", read, (DataError,)) > CASES // 20


def test_an_archive_whose_paths_climb_out_writes_nothing(tmp_path):
    (tmp_path / "a" / "yaleb").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "a" / "yaleb" / "CroppedYale.zip", "w") as members:
        members.writestr("../../" + test_yaleb.file_name(11, 0, 0), test_yaleb.pgm(np.zeros((192, 168), np.uint8)))
    assert len(list(yaleb.read(tmp_path / "a"))) == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["CroppedYale.zip", "a", "yaleb"]


def test_an_archive_that_unpacks_to_gigabytes_is_refused(tmp_path):
    (tmp_path / "yaleb").mkdir()
    with zipfile.ZipFile(tmp_path / "yaleb" / "CroppedYale.zip", "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr(test_yaleb.file_name(11, 0, 0), bytes(100 * 2**20))
    with pytest.raises(DataError, match="104857600 bytes"):
        list(yaleb.read(tmp_path))


def test_a_sprites_character(tmp_path):
    test_sprites.write_character(tmp_path, 0)
    path = tmp_path / "sprites_0.mat"
    assert fuzz([path.read_bytes()], path, lambda: read_character(tmp_path, 0), (DataError,)) > CASES // 20


def test_the_sprites_splits(tmp_path):
    for compressed in (False, True):
        scipy.io.savemat(tmp_path / f"{compressed}.mat", {"trainidx": [[1, 2]], "validx": [[3]], "testidx": [[4]]})
    good = [(tmp_path / f"{compressed}.mat").read_bytes() for compressed in (False, True)]
    fuzz(good, tmp_path / "sprites_splits.mat", lambda: read_splits(tmp_path), (DataError,), cases=CASES // 10)


def test_splits_that_crash_their_reader_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_READ_SPLITS", "import os; os.abort()")
    with pytest.raises(DataError, match="cannot be read .exit status -6"):
        read_splits(tmp_path)


def test_references_to_something_else_than_frames(tmp_path):
    test_sprites.write_character(tmp_path, 0, frames=lambda number, animation: np.zeros((3, 3)))
    with pytest.raises(DataError, match="expected 20 animations"):
        read_character(tmp_path, 0)


def test_run_files(tmp_path):
    good = b"# a run\n--dataset=mnist\n--widths=24,48,96\n--kl_weight=0.2\n--shared_variance=true\n--num_steps=10\n"
    path = tmp_path / "run.flags"

    def read() -> None:
        parse_config([f"--flagfile={path}"])

    assert fuzz([good], path, read, (ConfigError,)) > CASES // 20


def test_lists_of_images(tmp_path):
    table = b"path,identity,attribute_hair,factor_x\n1.png,anna,dark,0.5\n2.png,ben,fair,7\n"
    path = tmp_path / "list.csv"
    assert fuzz([table], path, lambda: read_list(path), (DataError,)) > CASES // 20
    row = b'{"path": "%d.png", "identity": "%d", "factor_x": 0.5}\n'
    path = tmp_path / "list.jsonl"
    assert fuzz([row % (1, 1) + row % (2, 2)], path, lambda: read_list(path), (DataError,)) > CASES // 20


def test_records(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 1), np.uint8)
    config = DataConfig(memory_limit_mb=0, cache_dir=str(tmp_path))
    path = store(images, 5, (4, 4, 1), config, "fuzz").path

    def read() -> None:
        np.testing.assert_array_equal(RecordImages(path, 5, (4, 4, 1))[:], images)

    assert fuzz([path.read_bytes()], path, read, (DataError,)) > CASES // 2
