"""The program: table, record, report, and messages."""

import json
import re

import numpy as np
import pytest

from dfv.evaluation.leakage import LeakageResults
from dfv.evaluation.leakage.__main__ import main
from dfv.evaluation.sampling import SampleSizes


@pytest.fixture(scope="module")
def codes(tmp_path_factory):
    """Codes of two labels, of which one is known from the first dimension, and of a factor in the second."""
    path, rng, arrays = tmp_path_factory.mktemp("codes") / "mine.npz", np.random.default_rng(0), {}
    for number, split in enumerate(("train", "validation", "test")):
        identity = np.repeat(np.arange(60), 4) + 60 * number
        pose = rng.integers(0, 2, 240)
        arrays[f"{split}_codes"] = np.stack([identity % 2, pose, rng.random(240)], axis=1) + 0.1 * rng.random((240, 3))
        arrays[f"{split}_labels"] = np.stack([identity % 2, identity // 2 % 3], axis=1)
        arrays[f"{split}_groups"], arrays[f"{split}_factor_pose"] = identity, pose
    np.savez(path, **arrays)
    return path


def test_the_table_is_printed_and_the_record_and_report_are_written(codes, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sizes = SampleSizes(probe_epochs=10, min_validation_images=0, min_validation_identities=0, permutations=20)
    monkeypatch.setattr("dfv.evaluation.leakage.measurement.SampleSizes", lambda: sizes)
    assert main([str(codes), "--probe_seeds=1"]) == 0
    printed, folder = capsys.readouterr().out, tmp_path / "mine_leakage"
    assert sorted(path.name for path in folder.iterdir()) == ["leakage.json", "report.html", "table.md"]
    assert (folder / "table.md").read_text() == printed
    rows = {row[0]: row[1:] for row in (line.strip("| ").split(" | ") for line in printed.splitlines())}
    assert {"network", "linear", "deep", "trees"} < rows.keys()
    assert rows["strongest, label 0"][1] == "0.0" and "(not significant)" in rows["strongest, label 1"][3]
    assert rows["network, factor pose"][1] == "0.0" and float(rows["network, factor pose"][2]) > 30
    results = LeakageResults.from_json((folder / "leakage.json").read_text())
    assert json.loads((folder / "leakage.json").read_text())["schema_version"] == 1
    best = results.leakage.strongest
    assert results.probe_seeds == 1
    shown = f"{100 * best.leakage.mean:.1f} ± {100 * best.leakage.standard_error:.1f}"
    assert printed.count(shown) >= 2 and results.num_groups == 60 and results.num_classes == (2, 3)
    assert f"HSIC of code and group: {results.dependence.hsic:.4f};" in printed
    report = (folder / "report.html").read_text()
    text = " ".join(re.sub("<[^>]*>", " ", report).split())
    assert "network linear neighbours deep trees" in text and "gradient-boosted trees" in text
    assert "Leakage test of mine.npz" in text and shown in text and "of 60 groups that do not occur in training" in text
    assert "pose" in text and results.provenance.cpu in text and "<script" not in report

    assert main([str(codes)]) == 2
    assert "--out=mine_leakage exists and is not an empty folder." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "expected one .npz file with codes and labels, got none"),
        (["a.npz", "b.npz"], "got a.npz b.npz"),
        (["none.npz"], "none.npz cannot be read (No such file or directory)"),
        (["none.npz", "--probe_seeds=0"], "--probe_seeds expects 1 to 100; got 0."),
        (["none.npz", "--seeds=3"], "Unknown command line flag 'seeds'"),
    ],
)
def test_mistakes_are_explained(tmp_path, monkeypatch, capsys, arguments, expected):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert expected in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_an_existing_folder_is_used_with_overwrite_only(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert main(["none.npz", "--out=out"]) == 2 and "--out=out exists" in capsys.readouterr().err
    assert main(["none.npz", "--out=out/mine.txt"]) == 2 and "--out=out/mine.txt exists" in capsys.readouterr().err
    assert main(["none.npz", "--out=out", "--overwrite"]) == 2 and "none.npz cannot" in capsys.readouterr().err
