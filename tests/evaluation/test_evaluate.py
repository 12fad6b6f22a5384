"""The whole evaluation, its report, and runs beside each other."""

import copy
import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from dfv.config.schema import Config, ConfigError
from dfv.data import from_arrays
from dfv.data.dataset import ImageSet, Splits
from dfv.evaluation import compare, evaluate
from dfv.evaluation.encoded_images import encode
from dfv.evaluation.figures.grids import beside
from dfv.evaluation.report.leakage_section import table1
from dfv.training.run_folder import write_flags


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
    assert results["identity_swaps"]["swap_mean"]["third"]["s_source"] > 0.9
    assert results["factor_swaps"]["swap_mean"]["height"]["z_source"] > 0.9
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
    oracle = results["image_classifier"]
    errors = (f"{50 * sum(oracle[name].values()):.{digits}f}" for name, digits in (("train", 1), ("test", 2)))
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
        part.select(np.concatenate([np.flatnonzero(own)[:images] for own in who]))
        for part, who in zip(parts, of_two, strict=True)
    )
    plain = Splits(*(ImageSet(part.images, part.identity) for part in few))
    config = Config.of(dataset="image_folder", image_dir="any")
    limits = dataclasses.replace(tiny, min_validation_images=500, probe_epochs=2, oracle_epochs=1, oracle_steps=5)
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
    limits = dataclasses.replace(tiny, test_images=60, oracle_epochs=1, oracle_steps=5)
    results = evaluate(codec(), splits, Config.of(dataset="sprites"), tmp_path, seeds=1, progress=False, limits=limits)
    assert results["analogies"]["mse_ratio"] == 0 < results["analogies"]["copy_of_s_source"]["mse"]
    read = results["table1"]["codes"]["s"]
    twinless = read["parts"]["without_twin"]["test"]
    rows = encode(codec(), splits.test, 60).rows
    assert twinless >= 0.5 and twinless * np.mean(splits.test.attributes["hair"][rows] == 3) == pytest.approx(
        read["strongest"]["test"]
    )
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "without twin" in report and "swap against the truth" in report
    assert (tmp_path / "figures" / "analogies.png").exists()


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
