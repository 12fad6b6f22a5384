import multiprocessing
import pickle
import resource
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from dfv.config.schema import ConfigError, DataConfig
from dfv.data.cache import RecordImages, store
from dfv.data.dataset import DataError

SHAPE = (5, 4, 3)
RECORD_BYTES, HEADER_BYTES = 64, 256


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (50, *SHAPE), np.uint8)


@pytest.fixture
def on_disk(images, tmp_path) -> RecordImages:
    stored = store_on_disk(images, tmp_path)
    assert isinstance(stored, RecordImages)
    return stored


def store_on_disk(images: np.ndarray, folder: Path, name: str = "set"):
    return store(iter(images), len(images), SHAPE, DataConfig(memory_limit_mb=0, cache_dir=str(folder)), name)


def never():
    raise AssertionError("the iterable was consumed")
    yield


def damage(path: Path, position: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def test_a_set_within_the_limit_is_an_array_and_writes_nothing(images, tmp_path):
    config = DataConfig(memory_limit_mb=1, cache_dir=str(tmp_path / "cache"))
    stored = store(iter(images), len(images), SHAPE, config, "set")
    assert type(stored) is np.ndarray and stored.dtype == np.uint8
    np.testing.assert_array_equal(stored, images)
    assert not (tmp_path / "cache").exists()


def test_the_limit_is_in_mebibytes_and_inclusive(tmp_path):
    config = DataConfig(memory_limit_mb=1, cache_dir=str(tmp_path))
    image = np.zeros((512, 512, 1), np.uint8)
    assert isinstance(store([image] * 4, 4, image.shape, config, "four"), np.ndarray)
    assert isinstance(store([image] * 5, 5, image.shape, config, "five"), RecordImages)


def test_rows_are_read_in_any_order_and_repeated(images, on_disk):
    assert len(on_disk) == 50 and on_disk.shape == (50, *SHAPE)
    for rows in ([3], [49, 0, 7, 7, 48], np.arange(50)[::-1], np.array([2, 1], np.int32), np.array([], int), []):
        read = on_disk[np.asarray(rows)]
        assert read.dtype == np.uint8 and read.flags.c_contiguous
        np.testing.assert_array_equal(read, images[np.asarray(rows, int)])
    np.testing.assert_array_equal(on_disk[45:60], images[45:60])


@pytest.mark.parametrize("rows", [[50], [-1], [0, 2**40]])
def test_rows_out_of_range_are_refused(on_disk, rows):
    with pytest.raises(IndexError, match="from 0 to 49"):
        on_disk[np.array(rows)]


def test_a_mask_is_refused_rather_than_taken_for_rows(on_disk):
    with pytest.raises(TypeError, match="bool"):
        on_disk[np.ones(50, bool)]


def test_the_file_is_one_that_numpy_reads(images, on_disk):
    records = np.load(on_disk.path)
    np.testing.assert_array_equal(records["image"], images)
    assert records["crc32"].tolist() == [zlib.crc32(image.tobytes()) for image in images]
    assert on_disk.path.stat().st_size == HEADER_BYTES + 50 * RECORD_BYTES


def test_a_second_call_reads_the_file_and_leaves_the_iterable_alone(images, on_disk, tmp_path):
    config = DataConfig(memory_limit_mb=0, cache_dir=str(tmp_path))
    again = store(never(), 50, SHAPE, config, "set")
    assert isinstance(again, RecordImages) and again.path == on_disk.path
    np.testing.assert_array_equal(again[np.arange(50)], images)


@pytest.mark.parametrize(("name", "num", "shape"), [("other", 50, SHAPE), ("set", 49, SHAPE), ("set", 50, (4, 5, 3))])
def test_another_name_number_or_shape_is_another_file(on_disk, tmp_path, name, num, shape):
    other = np.zeros((num, *shape), np.uint8)
    stored = store(other, num, shape, DataConfig(memory_limit_mb=0, cache_dir=str(tmp_path)), name)
    assert isinstance(stored, RecordImages) and stored.path != on_disk.path


@pytest.mark.parametrize("name", ["../../up", "/etc/passwd", "..", "", "a\0b", "x" * 5000, "é/\udcff", "a b;c"])
def test_no_name_leaves_the_cache_folder(images, tmp_path, name):
    stored = store_on_disk(images, tmp_path / "cache", name)
    assert stored.path.parent == tmp_path / "cache"
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
    assert list((tmp_path / "cache").iterdir()) == [stored.path]


def test_names_that_look_alike_once_cleaned_do_not_share_a_file(images, tmp_path):
    assert store_on_disk(images, tmp_path, "a/b").path != store_on_disk(images, tmp_path, "a_b").path


def test_the_default_folder_is_in_the_home(images, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store(images, 50, SHAPE, DataConfig(memory_limit_mb=0), "set").path.parent == tmp_path / ".cache" / "dfv"


@pytest.mark.parametrize("limit", [0, 1])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda images: images[:49], "set: expected 50 images, got 49"),
        (lambda images: np.concatenate([images, images]), "set: expected 50 images, got more"),
        (lambda images: [*images[:7], images[7].T], r"image 7 is \(3, 4, 5\)"),
        (lambda images: [*images[:7], images[7].astype(np.float32)], "image 7 is .* of float32"),
    ],
)
def test_wrong_images_are_refused_and_nothing_is_kept(images, tmp_path, limit, wrong, message):
    config = DataConfig(memory_limit_mb=limit, cache_dir=str(tmp_path))
    with pytest.raises(DataError, match=message):
        store(wrong(images), 50, SHAPE, config, "set")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0
    np.testing.assert_array_equal(store(images, 50, SHAPE, config, "set")[np.arange(50)], images)


@pytest.mark.parametrize("byte", [0, 30, 60, 63])  # of the pixels, of the CRC
def test_a_flipped_bit_is_found_in_its_record_alone(images, on_disk, byte):
    damage(on_disk.path, HEADER_BYTES + 20 * RECORD_BYTES + byte, bit=5)
    others = np.delete(np.arange(50), 20)
    np.testing.assert_array_equal(on_disk[others], images[others])
    with pytest.raises(DataError, match=r"set-.*\.npy is corrupted at record 20.*Delete the file"):
        on_disk[np.array([19, 20])]


def test_a_file_cut_short_while_in_use_is_found_on_reading(images, on_disk):
    with on_disk.path.open("r+b") as file:
        file.truncate(HEADER_BYTES + 30 * RECORD_BYTES + 10)
    np.testing.assert_array_equal(on_disk[np.arange(30)], images[:30])
    for row in (30, 31):
        with pytest.raises(DataError, match=f"ends within record {row} of 50.*Delete the file"):
            on_disk[np.array([row])]


@pytest.mark.parametrize("size", [0, 100, HEADER_BYTES, HEADER_BYTES + 50 * RECORD_BYTES - 1])
def test_a_file_of_the_wrong_size_is_refused_at_once(on_disk, tmp_path, size):
    with on_disk.path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(DataError, match=rf"has {size} bytes instead of {256 + 50 * 64}.*Delete the file"):
        store(never(), 50, SHAPE, DataConfig(memory_limit_mb=0, cache_dir=str(tmp_path)), "set")


def test_any_flipped_bit_of_the_header_is_refused(on_disk):
    content = on_disk.path.read_bytes()
    for position in range(HEADER_BYTES):
        damage(on_disk.path, position, bit=position % 8)
        with pytest.raises(DataError, match="does not begin as a file of 50 images"):
            RecordImages(on_disk.path, 50, SHAPE)
        on_disk.path.write_bytes(content)


def test_once_deleted_a_damaged_file_is_written_again(images, on_disk, tmp_path):
    on_disk.path.unlink()
    np.testing.assert_array_equal(store_on_disk(images, tmp_path)[np.arange(50)], images)


def test_what_a_killed_writer_left_is_no_obstacle(images, tmp_path):
    path = store_on_disk(images, tmp_path).path
    path.rename(path.with_suffix(".part"))
    with path.with_suffix(".part").open("ab") as file:
        file.write(b"more than a whole file")
    np.testing.assert_array_equal(store_on_disk(images, tmp_path)[np.arange(50)], images)
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_explained_and_the_room_given_back(tmp_path):
    """A limit on the size of files cuts the last write short, as a full disk does."""
    images = np.zeros((3000, 32, 32, 1), np.uint8)
    config = DataConfig(memory_limit_mb=0, cache_dir=str(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, limits[1]))
    try:
        with pytest.raises(DataError, match="cannot write 3 MiB.*--cache_dir.*--memory_limit_mb=3"):
            store(images, 3000, (32, 32, 1), config, "set")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0
    assert len(store(images, 3000, (32, 32, 1), config, "set")) == 3000


def test_a_folder_that_cannot_be_written_is_explained(images, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match=r"cannot write 1 MiB of images to .*Not a directory.*--cache_dir"):
        store_on_disk(images, tmp_path / "file" / "cache")


def test_a_folder_that_cannot_be_is_explained(images, tmp_path):
    with pytest.raises(DataError, match="cannot write .*File name too long.*--cache_dir"):
        store_on_disk(images, tmp_path / ("x" * 300))
    with pytest.raises(ConfigError, match="--cache_dir=~nosuchuser: expected a home"):
        store_on_disk(images, Path("~nosuchuser"))


def test_an_error_of_the_source_is_not_taken_for_one_of_the_cache(images, tmp_path):
    def failing():
        yield images[0]
        raise FileNotFoundError("a.png")

    with pytest.raises(FileNotFoundError, match="a.png"):
        store(failing(), 50, SHAPE, DataConfig(memory_limit_mb=0, cache_dir=str(tmp_path)), "set")


def test_a_pickled_one_reads_the_same(images, on_disk):
    copy = pickle.loads(pickle.dumps(on_disk))
    del on_disk
    np.testing.assert_array_equal(copy[np.array([4, 2])], images[[4, 2]])


def test_threads_may_share_one(images, on_disk):
    wrong = []

    def read(seed: int) -> None:
        rows = np.random.default_rng(seed).integers(0, 50, (100, 40))
        wrong.extend(seed for some in rows if not np.array_equal(on_disk[some], images[some]))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def _store_counting(images: np.ndarray, folder: Path, together, consumed) -> None:
    def counted():
        for image in images:
            with consumed.get_lock():
                consumed.value += 1
            time.sleep(0.01)
            yield image

    together.wait(60)
    config = DataConfig(memory_limit_mb=0, cache_dir=str(folder))
    np.testing.assert_array_equal(store(counted(), 50, SHAPE, config, "set")[np.arange(50)], images)


def test_of_many_processes_one_writes(images, tmp_path):
    context = multiprocessing.get_context("spawn")
    together, consumed = context.Barrier(3), context.Value("i", 0)
    arguments = (images, tmp_path, together, consumed)
    workers = [context.Process(target=_store_counting, args=arguments) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert consumed.value == 50


def test_files_are_closed_with_their_images(images, tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        store_on_disk(images, tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
