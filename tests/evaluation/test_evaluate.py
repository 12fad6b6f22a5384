"""The whole evaluation, its figures and its report."""

import copy
import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from dfv.config import Config, ConfigError
from dfv.data import from_arrays
from dfv.data.image_set import ImageSet, Splits
from dfv.evaluation import compare, evaluate
from dfv.evaluation.coded import encode
from dfv.evaluation.figures import (
    beside,
    generation_rows,
    interpolation_grid,
    pictures,
    reconstruction_columns,
    retrieval_rows,
    with_own_aspect,
)
from dfv.evaluation.table1_section import table1
from dfv.pictures import SEPARATOR, swap_grid
from dfv.runs import write_flags

CELL = 72 + SEPARATOR  # 12 pixels enlarged six times


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, codec, make_splits, tiny):
    folder = tmp_path_factory.mktemp("run")
    model, splits = codec(deviation=0.1), make_splits(unseen=True)
    return folder, evaluate(model, splits, Config.of(dataset="smallnorb"), folder, seeds=1, progress=False, limits=tiny)


def test_results_are_written_as_they_are_returned(evaluated):
    folder, results = evaluated
    assert json.loads((folder / "results.json").read_text()) == results
    assert results["run"]["unseen_identities"] and results["run"]["images"]["test"] == 200
    assert results["table1"]["codes"]["s"]["strongest"]["test"] < 0.05
    assert results["table1"]["codes"]["z_mean"]["strongest"]["test"] > 0.4
    assert results["reconstruction"]["own"]["mse"] < 1e-5
    assert results["identity_swaps"]["swap_mean"]["third"]["s_donor"] > 0.9
    assert results["factor_swaps"]["swap_mean"]["height"]["z_donor"] > 0.9
    assert results["retrieval"]["precision"]["s"]["1"] > results["retrieval"]["precision"]["z_mean"]["1"]
    assert results["dependence"]["s"]["p_value"] < 0.05


def test_the_report_holds_everything_in_itself(evaluated):
    folder, results = evaluated
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in report and not re.findall(r"(?:src|href)=\"(?!data:)", report) and "url(" not in report
    assert report.count("data:image/png;base64,") == len(list((folder / "figures").glob("*.png"))) == 7
    assert "prefers-color-scheme: dark" in report and "--dataset=smallnorb" in report
    assert "--widths=32,64,128\n" in report and "--grayscale=false\n" in report
    assert "paper, z" in report and "Probes were trained on 240 codes, stopped by 120 and scored by 200" in report
    judge = results["image_classifier"]
    errors = (f"{50 * sum(judge[name].values()):.{digits}f}" for name, digits in (("train", 1), ("test", 2)))
    assert "<td>images, classifier</td><td>{}</td><td>{}</td>".format(*errors) in report
    shown = results["table1"]["codes"]["s"]["strongest"]
    alone = results["table1"]["codes"]["s"]["labels"]["parity"]
    assert "<td>parity</td>" in report and f"<td>{100 * alone['test']:.1f} (" in report
    assert shown["spread"] is None and f"<td>{100 * shown['test']:.2f} ± –</td>" in report


def test_the_report_shows_the_leak_among_alike_where_there_is_one(evaluated):
    results = copy.deepcopy(evaluated[1])
    assert "permuted among equal known factors" not in table1(results)
    counted = results["table1"]["codes"]["z_mean"]["strongest"]
    counted |= {"alike_chance": 0.991, "alike_leak": {"mean": 0.0234, "standard_error": 0.004}}
    assert "<td>z, mean</td><td>99.1</td><td>2.3 ± 0.4</td>" in table1(results)


def test_validation_unseen_and_without_attributes_is_probed_within_itself(tmp_path, codec, make_splits, tiny):
    splits = make_splits(unseen=True)
    train, validation, test = (
        ImageSet(part.images, part.identity) for part in (splits.train, splits.validation, splits.test)
    )
    hidden = dataclasses.replace(test, images=np.zeros_like(test.images))
    splits = Splits(train, validation, hidden)
    config = Config.of(dataset="image_folder", image_dir="any")
    results = evaluate(codec(), splits, config, tmp_path, seeds=1, progress=False, limits=tiny, split="validation")
    assert results["run"]["images"] == {"train": 200, "validation": 40, "test": 120}
    assert not {"identity_swaps", "factors", "factor_swaps", "analogies"} & set(results)
    assert results["table1"]["codes"]["s"]["strongest"]["test"] < 0.1
    assert results["table1"]["codes"]["z_mean"]["strongest"]["test"] > 0.7
    assert results["image_classifier"]["train"]["identity"] < 0.1 > results["image_classifier"]["test"]["identity"]


def test_a_run_that_was_trained_on_is_not_compared_by_its_old_results(evaluated, tmp_path, capsys):
    run_dir = shutil.copytree(evaluated[0], tmp_path / "run")
    write_flags(run_dir, Config.of(num_steps=10_000))
    assert compare.main([str(run_dir), "--out", str(tmp_path / "both")]) == 0
    write_flags(run_dir, Config.of(num_steps=12_000))
    assert compare.main([str(run_dir), "--out", str(tmp_path / "both")]) == 2
    assert "was trained on after its evaluation at step 10000; evaluate it again" in capsys.readouterr().err


@pytest.mark.parametrize("images", [2, 3])
def test_the_smallest_set_of_unseen_identities_is_evaluated(tmp_path, codec, make_splits, tiny, images):
    """Folders of two images, two of them for each split, are what the program says to bring at least."""
    splits = make_splits(unseen=True)
    parts = [splits.train, splits.validation, splits.test]
    of_two = [part.identity == np.unique(part.identity)[:2, None] for part in parts]
    few = (
        part.take(np.concatenate([np.flatnonzero(own)[:images] for own in who]))
        for part, who in zip(parts, of_two, strict=True)
    )
    plain = Splits(*(ImageSet(part.images, part.identity) for part in few))
    config = Config.of(dataset="image_folder", image_dir="any")
    limits = dataclasses.replace(tiny, enough_to_choose=500, probe_epochs=2, judge_epochs=1, judge_steps=5)
    results = evaluate(codec(), plain, config, tmp_path, seeds=1, progress=False, limits=limits)
    assert sum(results["table1"]["images"].values()) <= 2 * images
    assert "scored by" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_arrays_of_ones_own_are_evaluated_and_not_taken_for_what_a_config_says_by_default(
    tmp_path, codec, drawn, tiny, caplog
):
    caplog.set_level("INFO", "dfv")
    identity, factor = np.arange(240) % 6, np.arange(240) // 6 % 4
    splits = from_arrays(drawn(identity, factor, seed=0), identity, factors={"height": factor})
    with pytest.raises(ConfigError, match=r"do not have its arms, .*Config.of\(dataset=\"arrays\"\)"):
        evaluate(codec(), splits, Config.of(), tmp_path, progress=False, limits=tiny)
    assert not list(tmp_path.iterdir())
    results = evaluate(codec(), splits, Config.of(dataset="arrays"), tmp_path, seeds=1, progress=False, limits=tiny)
    assert results["table1"]["codes"]["s"]["strongest"]["test"] < 0.1 and "analogies" not in results
    assert f"Evaluating: table1, 7 of {len(results) + 1}" in caplog.messages


def test_sprites_have_analogies_and_characters_without_a_twin(tmp_path, codec, drawn, tiny):
    """A fourth kind of hair is never trained on, so all that goes wrong is with the characters that have it."""

    def part(characters: np.ndarray) -> ImageSet:
        identity, pose = (column.ravel() for column in np.meshgrid(characters, np.arange(4), indexing="ij"))
        images = np.where(drawn(identity, pose, seed=0) < 100, 0, 220).astype(np.uint8)
        attributes = {"hair": identity % 4, "weapon": identity % 12 // 6}
        return ImageSet(images, identity.astype(np.int32), attributes, {"pose": pose.astype(np.int32)})

    everyone = np.arange(96)
    known = everyone[everyone % 4 < 3]
    splits = Splits(part(known[:36]), part(known[36:54]), part(everyone[72:]), {"hair": 4, "weapon": 2})
    limits = dataclasses.replace(tiny, test_images=60, judge_epochs=1, judge_steps=5)
    results = evaluate(codec(), splits, Config.of(dataset="sprites"), tmp_path, seeds=1, progress=False, limits=limits)
    assert results["analogies"]["mse_ratio"] == 0 < results["analogies"]["copy_of_s_donor"]["mse"]
    read = results["table1"]["codes"]["s"]
    twinless = read["parts"]["without_twin"]["test"]
    rows = encode(codec(), splits.test, 60).rows
    assert twinless >= 0.5 and twinless * np.mean(splits.test.attributes["hair"][rows] == 3) == pytest.approx(
        read["strongest"]["test"]
    )
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "without twin" in report and "swap against the truth" in report
    assert (tmp_path / "figures" / "analogies.png").exists()


def _cell(picture: np.ndarray, row: int, column: int, start: int = 0) -> np.ndarray:
    left = start + column * CELL
    return picture[row * CELL : row * CELL + 72 : 6, left : left + 72 : 6, :1]


def _is_swap(image: np.ndarray, s_donor: np.ndarray, z_donor: np.ndarray) -> bool:
    return np.array_equal(image[:, :6], s_donor[:, :6]) and np.array_equal(image[:, 6:], z_donor[:, 6:])


def test_swaps_take_s_from_the_top_and_z_from_the_left(codec, make_splits):
    images = make_splits().test.images[[0, 30, 60]]
    picture = swap_grid(codec(), images)
    for row, z_donor in enumerate(images, 1):
        np.testing.assert_array_equal(_cell(picture, row, 0), z_donor)
        for column, s_donor in enumerate(images, 1):
            np.testing.assert_array_equal(_cell(picture, 0, column), s_donor)
            assert _is_swap(_cell(picture, row, column), s_donor, z_donor)


def test_samples_have_the_s_of_the_image_at_their_left(codec, make_splits):
    donors = make_splits().test.images[[0, 30]]
    picture = generation_rows(codec(), donors, number=3)
    for row, donor in enumerate(donors):
        np.testing.assert_array_equal(_cell(picture, row, 0), donor)
        samples = [_cell(picture, row, column, start=72 + 12) for column in range(3)]
        assert all(np.array_equal(sample[:, :6], donor[:, :6]) for sample in samples)
        assert np.any(samples[0] != samples[1])


def test_reconstructions_stand_below_their_images_and_above_those_with_a_partners_s(codec, make_splits):
    picture = reconstruction_columns(codec(), encode(codec(), make_splits().test, 1000), number=4)
    for column in range(4):
        image, same, partner, swap = (_cell(picture, row, column) for row in range(4))
        np.testing.assert_array_equal(same, image)
        assert np.any(partner != image) and _is_swap(swap, partner, image)


def test_retrieval_by_s_and_by_z_are_not_mixed_up(codec, make_splits):
    part = make_splits().test
    test = encode(codec(), part, 1000)
    shown = pictures(codec(), Config.of(dataset="mnist").data, part, test)
    queries = np.sort(np.random.default_rng(0).permutation(len(test))[:8])
    np.testing.assert_array_equal(shown["retrieval_s"], retrieval_rows(test, test.s, queries))
    np.testing.assert_array_equal(shown["retrieval_z"], retrieval_rows(test, test.mean, queries))
    assert np.any(shown["retrieval_s"] != shown["retrieval_z"])


def test_interpolation_has_the_real_images_in_two_corners_and_z_down_the_rows(codec, make_splits):
    images = make_splits().test.images
    first, last = images[0], images[-1]
    picture = interpolation_grid(codec(), first, last, steps=5)
    np.testing.assert_array_equal(_cell(picture, 0, 0), first)
    np.testing.assert_array_equal(_cell(picture, 4, 4), last)
    corner = _cell(picture, 4, 0)  # the last z with the first s
    np.testing.assert_array_equal(corner[:, :6], first[:, :6])
    np.testing.assert_array_equal(corner[:, 6:], last[:, 6:])


def test_retrieval_shows_the_query_and_then_its_nearest(codec, make_splits):
    test = encode(codec(), make_splits().test, 1000)
    picture = retrieval_rows(test, test.s, np.array([0, 40]), number=3)
    np.testing.assert_array_equal(_cell(picture, 1, 0), test.part.images[np.array([40])][0])
    distance = ((test.s - test.s[40]) ** 2).sum(1)
    second = test.part.images[np.argsort(distance)[1:2]][0]
    start = 72 + 12
    np.testing.assert_array_equal(picture[CELL : CELL + 72 : 6, start : start + 72 : 6, :1], second)


def test_faces_get_their_aspect_back(make_splits):
    picture = np.zeros((96, 192, 3), np.uint8)
    part = make_splits().test
    assert with_own_aspect(picture, Config.of(dataset="mnist").data, part).shape == (96, 192, 3)
    assert with_own_aspect(picture, Config.of(dataset="yaleb").data, part).shape == (192, 336, 3)


def test_evaluations_of_another_split_go_by_their_run(evaluated, tmp_path):
    for run in ("one", "other"):
        shutil.copytree(evaluated[0], tmp_path / run / "validation")
    rows = compare.compare([tmp_path / run / "validation" for run in ("one", "other")], tmp_path / "both").splitlines()
    assert [row.split("|")[1].strip() for row in rows[2:4]] == ["one/validation", "other/validation"]


def test_runs_of_one_name_go_by_the_folders_that_they_are_in(evaluated, tmp_path):
    runs = [tmp_path / seed / "run" for seed in ("one", "other")]
    for run in runs:
        shutil.copytree(evaluated[0], run)
    rows = compare.compare(runs, tmp_path / "both").splitlines()
    assert [row.split("|")[1].strip() for row in rows[2:4]] == ["one/run", "other/run"]


def test_runs_stand_beside_each_other_in_table_and_picture(evaluated, tmp_path, capsys):
    folder, results = evaluated
    assert compare.main([str(folder), str(folder), "--out", str(tmp_path / "both")]) == 0
    rows = (tmp_path / "both" / "table.md").read_text().splitlines()
    assert capsys.readouterr().out.splitlines() == rows
    cells = [cell.strip() for cell in rows[2].strip("|").split("|")]
    leak = results["table1"]["codes"]["z_sampled"]["strongest"]["leak"]["mean"]
    assert cells[0] == folder.name and cells[2] == f"{100 * leak:.1f}" and len(cells) == 1 + len(compare.DISENTANGLED)
    one, both = (np.asarray(Image.open(path)) for path in (folder / "figures/swap.png", tmp_path / "both" / "swap.png"))
    title = len(both) - len(one)
    np.testing.assert_array_equal(both[title:], beside(one, one))
    named = both[:title] < 128
    assert named[:, : one.shape[1]].any() and named[:, -one.shape[1] :].any() and title < len(one) / 10
    found = results["retrieval"]
    shares = (
        f"{100 * share:.1f}"
        for share in (*(found["precision"][code]["1"] for code in ("s", "z_mean")), found["chance"])
    )
    assert rows[-1].split(" | ")[2] == "{} / {} / {}".format(*shares) and rows[-1].startswith(f"| {folder.name} |")
    factors = results["factors"].values()
    from_z, from_s = (100 * np.mean([factor[code]["error"] for factor in factors]) for code in ("z_mean", "s"))
    assert cells[-1] == f"{from_z:.1f} / {from_s:.1f}" and from_z < from_s / 2


def test_runs_that_differ_by_seed_alone_have_a_mean_and_a_deviation(evaluated, tmp_path):
    leaks = [0.01, 0.02, 0.06]
    for seed, leak in enumerate(leaks):
        results = copy.deepcopy(evaluated[1])
        results["run"]["flags"] |= {"seed": seed, "data_dir": str(seed)}
        results["table1"]["codes"]["z_mean"]["strongest"]["leak"]["mean"] = leak
        results["diversity"] = results["diversity"] if seed else None
        shutil.copytree(evaluated[0], tmp_path / f"run_{seed}")
        (tmp_path / f"run_{seed}" / "results.json").write_text(json.dumps(results))
    other = shutil.copytree(tmp_path / "run_0", tmp_path / "other")
    results["run"]["flags"]["kl_weight"] = 7.0
    (other / "results.json").write_text(json.dumps(results))
    text = compare.compare([*(tmp_path / f"run_{seed}" for seed in range(3)), other], tmp_path / "compared")
    means = [row for row in text.splitlines() if row.startswith("| mean of")]
    assert means[0].startswith(f"| mean of run_0, run_1, run_2 | 3.0 ± {100 * np.std(leaks, ddof=1):.1f} |")
    assert len(means) == 2 and means[1].endswith(f"| {evaluated[1]['diversity']['ratio']:.2f} ± 0.00 |")


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "evaluate it first"),
        ("[]", "evaluate it anew"),
        ("{}", "evaluate it anew"),
        ("no run", "evaluate it anew"),
        ("mnist", "one data set"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(evaluated, tmp_path, capsys, content, wrong):
    other = tmp_path / "other"
    if content is not None:
        shutil.copytree(evaluated[0], other)
        results = json.loads((other / "results.json").read_text())
        changed = {"mnist": results | {"run": results["run"] | {"dataset": "mnist"}}, "no run": results | {"run": {}}}
        (other / "results.json").write_text(json.dumps(changed[content]) if content in changed else content)
    assert compare.main([str(evaluated[0]), str(other), "--out", str(tmp_path / "none")]) == 2
    assert wrong in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_pictures_side_by_side_keep_their_size():
    left, right = np.full((20, 30, 3), 10, np.uint8), np.full((25, 40, 3), 90, np.uint8)
    both = beside(left, right)
    np.testing.assert_array_equal(both[:20, :30], left)
    np.testing.assert_array_equal(both[:, -40:], right)
    assert (both[20:, :30] == 255).all()
