"""What each mode writes, against the model's own methods on the same images."""

import csv
import os

import numpy as np
import pytest
from PIL import Image

from dfv.apply import encoding
from dfv.data.image_operations import fit_images
from dfv.model.image_grids import arrange_swaps


def read(path) -> np.ndarray:
    return np.asarray(Image.open(path))


def assert_same(found, expected):
    """Other batches round otherwise in the last bit of a float, so a pixel may fall to its neighbour."""
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


def written(folder) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def whole(images) -> np.ndarray:
    return np.stack(list(images.values()))


def test_encode_writes_arrays(apply, model, images, whole, folder, tmp_path):
    assert apply("encode", images=folder, out=tmp_path / "codes.npz") == 0
    with np.load(tmp_path / "codes.npz") as table:
        assert table["path"].tolist() == list(images)
        codes = model.encode(whole)
        for name, code in zip(("s", "z_mean", "z_log_var"), (codes.s, *codes.z), strict=True):
            assert table[name].dtype == np.float32
            np.testing.assert_allclose(table[name], code, atol=1e-5)


def test_encode_writes_columns(apply, model, images, whole, folder, tmp_path):
    assert apply("encode", images=folder, out=tmp_path / "new" / "codes.CSV") == 0
    with (tmp_path / "new" / "codes.CSV").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    names = [f"{code}_{i}" for code, size in (("s", 5), ("z_mean", 6), ("z_log_var", 6)) for i in range(size)]
    assert header == ["path", *names]
    assert [row[0] for row in rows] == list(images)
    codes = model.encode(whole)
    expected = np.concatenate([codes.s, *codes.z], axis=1)
    np.testing.assert_allclose(np.array([row[1:] for row in rows], float), expected, rtol=1e-4, atol=1e-5)


def test_one_s_per_folder_is_the_mean_over_the_folder_and_its_subfolders(apply, model, whole, folder, tmp_path):
    assert apply("encode", images=folder, out=tmp_path / "codes.npz", one_s_per_folder=True) == 0
    s = model.encode(whole).s
    expected = np.stack([s[:2].mean(0)] * 2 + [s[2:].mean(0)] * 3)
    np.testing.assert_allclose(np.load(tmp_path / "codes.npz")["s"], expected, atol=1e-5)


def test_reconstruct_writes_an_image_for_each_in_the_same_subfolders(apply, model, whole, folder, tmp_path):
    assert apply("reconstruct", images=folder, out=tmp_path / "out") == 0
    names = ["anna/1.png", "anna/2.png", "ben/1.png", "ben/2.png", "ben/old/3.png"]
    assert written(tmp_path / "out") == names
    assert_same(np.stack([read(tmp_path / "out" / name) for name in names]), model.reconstruct(whole))


def test_swap_writes_each_s_with_each_z(apply, model, images, whole, folder, tmp_path):
    assert apply("swap", images_s=folder, images_z=folder / "ben", out=tmp_path / "out") == 0
    assert len(written(tmp_path / "out")) == 15
    swapped = model.swap(images["ben/old/3.webp"][None], images["ben/2.PNG"][None])
    assert_same(read(tmp_path / "out/ben_old_3/2.png"), swapped[0])
    swapped = model.swap(images["anna/1.png"][None], images["ben/old/3.webp"][None])
    assert_same(read(tmp_path / "out/anna_1/old/3.png"), swapped[0])


def test_swap_takes_one_s_from_each_folder(apply, model, images, whole, folder, tmp_path):
    file = folder / "anna" / "2.bmp"
    assert apply("swap", images_s=folder, images_z=file, out=tmp_path / "out", one_s_per_folder=True) == 0
    assert written(tmp_path / "out") == ["anna/2.png", "ben/2.png"]
    expected = model.swap([whole[:2], whole[2:]], np.stack([images["anna/2.bmp"]] * 2))
    for name, image in zip(("anna", "ben"), expected, strict=True):
        assert_same(read(tmp_path / "out" / name / "2.png"), image)


def test_a_folder_without_folders_is_one_identity(apply, model, whole, folder, tmp_path):
    assert apply("sample", images_s=folder / "anna", out=tmp_path / "out", one_s_per_folder=True, num_samples=1) == 0
    assert written(tmp_path / "out") == ["anna/seed_0.png"]
    assert_same(read(tmp_path / "out/anna/seed_0.png"), model.sample([whole[:2]], 0)[0])


def test_files_next_to_a_folder_of_the_same_name_are_another_identity(apply, folder, tmp_path):
    (folder / "anna" / "anna").mkdir()
    (folder / "anna" / "2.bmp").rename(folder / "anna" / "anna" / "2.bmp")
    assert apply("sample", images_s=folder / "anna", out=tmp_path / "out", one_s_per_folder=True, num_samples=1) == 0
    assert written(tmp_path / "out") == ["anna/seed_0.png", "anna_files/seed_0.png"]


def test_sample_writes_the_same_z_for_each_s(apply, model, images, folder, tmp_path):
    assert apply("sample", images_s=folder / "ben", out=tmp_path / "out", num_samples=3, seed=7) == 0
    assert written(tmp_path / "out") == [
        f"{name}/seed_{seed}.png" for name in ("1", "2", "old/3") for seed in (7, 8, 9)
    ]
    for file, name in (("1.png", "1"), ("old/3.webp", "old/3")):
        image = images[f"ben/{file}"][None]
        assert_same(read(tmp_path / "out" / name / "seed_8.png"), model.sample(image, 8)[0])


@pytest.mark.parametrize(("codes", "weights"), [("both", (1, 1)), ("s", (1, 0)), ("z", (0, 1))])
def test_interpolate_writes_frames_and_an_animation(codes, weights, apply, model, images, folder, tmp_path):
    flags = {"image_a": folder / "anna/1.png", "image_b": folder / "ben/1.png", "interpolate": codes, "num_frames": 5}
    assert apply("interpolate", **flags, out=tmp_path / "out") == 0
    assert written(tmp_path / "out") == [*(f"frame_00{i}.png" for i in range(5)), "interpolation.gif"]
    a, b = images["anna/1.png"][None], images["ben/1.png"][None]
    for number in range(5):
        expected = model.interpolate(a, b, *(number / 4 * weight for weight in weights))[0]
        assert_same(read(tmp_path / f"out/frame_00{number}.png"), expected)


def test_an_interpolation_is_between_two_images(apply, folder, tmp_path, capsys):
    assert apply("interpolate", image_a=folder / "ben", image_b=folder / "anna/1.png", out=tmp_path / "out") == 2
    assert "--image_a expects one image; the folder has 3" in capsys.readouterr().err and not written(tmp_path / "out")


def test_the_animation_runs_forth_and_back(apply, folder, tmp_path):
    flags = {"image_a": folder / "anna/1.png", "image_b": folder / "ben/1.png", "num_frames": 4, "animation": "webp"}
    assert apply("interpolate", **flags, out=tmp_path / "out") == 0
    with Image.open(tmp_path / "out/interpolation.webp") as animation:
        assert animation.n_frames == 6 and animation.size == (252, 252)
        for position, number in enumerate((0, 1, 2, 3, 2, 1)):
            animation.seek(position)
            frame = read(tmp_path / f"out/frame_00{number}.png").repeat(21, 0).repeat(21, 1)
            np.testing.assert_array_equal(np.asarray(animation.convert("RGB")), frame)


def test_no_animation_if_none_is_wanted(apply, folder, tmp_path):
    flags = {"image_a": folder / "anna/1.png", "image_b": folder / "ben/1.png", "num_frames": 2, "animation": "none"}
    assert apply("interpolate", **flags, out=tmp_path / "out") == 0
    assert written(tmp_path / "out") == ["frame_000.png", "frame_001.png"]


def test_grid_is_of_the_first_images_of_each_folder(apply, model, images, folder, tmp_path):
    assert apply("grid", images=folder, num_on_grid=3, out=tmp_path / "grid.png") == 0
    chosen = np.stack([images[name] for name in ("anna/1.png", "ben/1.png", "ben/old/3.webp")])
    swaps = model.swap(np.tile(chosen, (3, 1, 1, 1)), chosen.repeat(3, axis=0))
    assert_same(read(tmp_path / "grid.png"), arrange_swaps(chosen, swaps))


@pytest.mark.parametrize("by", ["s", "z"])
def test_nearest_lists_other_images_by_distance(by, apply, model, images, whole, folder, tmp_path):
    assert apply("nearest", images=folder, nearest_by=by, num_nearest=3, out=tmp_path / "out") == 0
    assert written(tmp_path / "out") == ["nearest.csv", "nearest.png"]
    codes = model.encode(whole)
    codes = codes.s if by == "s" else codes.z.mean
    distances = np.linalg.norm(codes[:, None] - codes, axis=-1)
    np.fill_diagonal(distances, np.inf)
    names = list(images)
    with (tmp_path / "out/nearest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    order = distances.argsort(1)[:, :3]
    assert [(row["query"], row["rank"], row["path"]) for row in rows] == [
        (names[i], str(rank), names[j]) for i in range(5) for rank, j in enumerate(order[i], 1)
    ]
    np.testing.assert_allclose(
        [float(row["distance"]) for row in rows], np.take_along_axis(distances, order, 1).ravel(), rtol=1e-3
    )
    picture = read(tmp_path / "out/nearest.png")
    np.testing.assert_array_equal(picture[:72:6, :72:6], whole[0])  # pixels are enlarged six times
    np.testing.assert_array_equal(picture[:72:6, 74:146:6], whole[order[0, 0]])


def test_nearest_to_other_images_and_to_one_of_the_searched(apply, images, folder, tmp_path):
    (tmp_path / "new.png").write_bytes((folder / "ben/1.png").read_bytes())
    for number, (query, found) in enumerate([(tmp_path / "new.png", ["ben/1.png"]), (folder / "ben/1.png", [])]):
        assert apply("nearest", images=folder, queries=query, num_nearest=100, out=tmp_path / f"out{number}") == 0
        with (tmp_path / f"out{number}" / "nearest.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        others = set(images) - {"ben/1.png"}
        assert {row["path"] for row in rows} == others | set(found) and len(rows) == len(others) + len(found)
        assert not found or (rows[0]["path"] == "ben/1.png" and float(rows[0]["distance"]) < 1e-3)


def test_nearest_to_searched_and_other_images_together(apply, folder, tmp_path):
    assert apply("nearest", images=folder / "ben", queries=folder, out=tmp_path / "out") == 0
    with (tmp_path / "out/nearest.csv").open(newline="") as file:
        found = [(row["query"], row["path"]) for row in csv.DictReader(file)]
    assert len(found) == 5 * 2 and not any(query == f"ben/{path}" for query, path in found)


def test_a_link_to_an_image_is_that_image(apply, folder, tmp_path):
    (folder / "ben" / "link.png").symlink_to(folder / "ben" / "1.png")
    for number in (1, 2, 9):
        out = tmp_path / f"out{number}"
        assert apply("nearest", images=folder, num_nearest=number, out=out) == 0
        with (out / "nearest.csv").open(newline="") as file:
            found = [(row["query"], row["path"]) for row in csv.DictReader(file)]
        assert len(found) == 6 * min(number, 4) and not any(path == "ben/link.png" for _, path in found)


def test_memory_holds_a_few_images_only(apply, encoded_rows, model, whole, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "_BATCH_PIXELS", 2 * 12 * 12)
    assert apply("reconstruct", images=folder, out=tmp_path / "out") == 0
    assert encoded_rows == [2, 2, 1]
    names = written(tmp_path / "out")
    assert_same(np.stack([read(tmp_path / "out" / name) for name in names]), model.reconstruct(whole))


def test_images_are_turned_cropped_and_resized_as_in_training(apply, model, folder, tmp_path):
    shown = np.random.default_rng(1).integers(0, 256, (12, 12, 3), np.uint8)
    whole = np.zeros((24, 40, 3), np.uint8)
    whole[:, 8:32] = shown.repeat(2, 0).repeat(2, 1)
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown rotated by 90 degrees to the right
    Image.fromarray(np.rot90(whole)).save(tmp_path / "phone.png", exif=turned)
    assert apply("reconstruct", images=tmp_path / "phone.png", out=tmp_path / "out") == 0
    assert_same(read(tmp_path / "out/phone.png"), model.reconstruct(shown[None])[0])


@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_images_are_fitted_as_in_training(model, tmp_path, monkeypatch, fit):
    pixels = np.random.default_rng(1).integers(0, 256, (6, 24, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    monkeypatch.setattr(model, "config", model.config.replace(fit=fit))
    received = encoding.decode_file(model, tmp_path / "wide.png")
    assert np.abs(received.astype(int) - fit_images(pixels[None], 12, 12, fit)[0]).max() <= 1


def test_names_keep_their_suffix_where_two_would_be_the_same(apply, folder, tmp_path):
    (folder / "anna/1.bmp").write_bytes((folder / "anna/2.bmp").read_bytes())
    assert apply("reconstruct", images=folder / "anna", out=tmp_path / "out") == 0
    assert written(tmp_path / "out") == ["1.bmp.png", "1.png.png", "2.bmp.png"]


def test_s_sources_whose_paths_read_the_same_get_a_number(apply, folder, tmp_path):
    (folder / "ben_1.png").write_bytes((folder / "ben/1.png").read_bytes())
    assert apply("swap", images_s=folder, images_z=folder / "anna/1.png", out=tmp_path / "out") == 0
    assert {"2_ben_1/1.png", "5_ben_1/1.png"} <= set(written(tmp_path / "out"))


def test_a_name_that_is_not_utf_8_is_kept_in_files_and_replaced_in_tables(apply, folder, tmp_path):
    name = os.fsdecode(b"\xff")
    (folder / "anna/1.png").rename(folder / "anna" / f"{name}.png")
    assert apply("reconstruct", images=folder / "anna", out=tmp_path / "out") == 0
    assert (tmp_path / "out" / f"{name}.png").exists()
    assert apply("encode", images=folder / "anna", out=tmp_path / "codes.npz") == 0
    assert "\N{REPLACEMENT CHARACTER}.png" in np.load(tmp_path / "codes.npz")["path"]
