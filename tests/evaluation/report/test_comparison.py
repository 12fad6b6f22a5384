"""Tables and pictures of several evaluated runs."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from dfv.config.schema import Config
from dfv.evaluation.compare import main
from dfv.evaluation.figures.grids import side_by_side
from dfv.evaluation.report.comparison import compare
from dfv.evaluation.report.comparison_columns import MAIN_COLUMNS
from dfv.evaluation.results import Results
from dfv.training.run_flags import write_flags


def test_a_run_that_was_trained_on_is_not_compared_by_its_old_results(evaluated, tmp_path, capsys, monkeypatch):
    run_dir = shutil.copytree(evaluated[0], tmp_path / "run")
    write_flags(run_dir, Config.of(num_steps=10_000))
    assert main([str(run_dir), "--out", str(tmp_path / "both")]) == 0
    write_flags(run_dir, Config.of(num_steps=12_000))
    assert main([str(run_dir), "--out", str(tmp_path / "both")]) == 2
    assert "was trained further after its evaluation at step 10000; evaluate it again" in capsys.readouterr().err
    shutil.copytree(evaluated[0], run_dir / "validation")
    monkeypatch.chdir(run_dir / "validation")
    for folder in (str(run_dir / "validation"), "."):
        assert main([folder, "--out", str(tmp_path / "both")]) == 2
        assert "was trained further after its evaluation at step 10000; evaluate it again" in capsys.readouterr().err


def test_data_sets_of_tfds_are_told_apart(evaluated, tmp_path, capsys):
    for name in ("letters", "digits"):
        folder = shutil.copytree(evaluated[0], tmp_path / name)
        run = replace(evaluated[1].run, dataset="tfds", flags=evaluated[1].run.flags | {"tfds_name": name})
        replace(evaluated[1], run=run).write(folder / "results.json")
    assert main([str(tmp_path / "letters"), str(tmp_path / "digits"), "--out", str(tmp_path / "both")]) == 2
    assert "expected runs of one data set; got tfds digits, tfds letters" in capsys.readouterr().err


def test_evaluations_of_another_split_go_by_their_run(evaluated, tmp_path):
    for run in ("one", "other"):
        shutil.copytree(evaluated[0], tmp_path / run / "validation")
    rows = compare([tmp_path / run / "validation" for run in ("one", "other")], tmp_path / "both").splitlines()
    assert [row.split("|")[1].strip() for row in rows[2:4]] == ["one/validation", "other/validation"]


def test_runs_of_one_name_go_by_the_folders_that_they_are_in(evaluated, tmp_path):
    runs = [tmp_path / seed / "run" for seed in ("one", "other")]
    for run in runs:
        shutil.copytree(evaluated[0], run)
    rows = compare(runs, tmp_path / "both").splitlines()
    assert [row.split("|")[1].strip() for row in rows[2:4]] == ["one/run", "other/run"]


def test_runs_stand_beside_each_other_in_table_and_picture(evaluated, tmp_path, capsys):
    folder, results = evaluated
    assert main([str(folder), str(folder), "--out", str(tmp_path / "both")]) == 0
    rows = (tmp_path / "both" / "table.md").read_text().splitlines()
    assert capsys.readouterr().out.splitlines() == rows
    cells = [cell.strip() for cell in rows[2].strip("|").split("|")]
    leak = results.leakage.z_sampled.strongest.leakage.mean
    assert cells[0] == folder.name and cells[2] == f"{100 * leak:.1f}" and len(cells) == 1 + len(MAIN_COLUMNS)
    one, both = (np.asarray(Image.open(path)) for path in (folder / "figures/swap.png", tmp_path / "both" / "swap.png"))
    title = len(both) - len(one)
    np.testing.assert_array_equal(both[title:], side_by_side(one, one))
    named = both[:title] < 128
    assert named[:, : one.shape[1]].any() and named[:, -one.shape[1] :].any() and title < len(one) / 10
    found = results.retrieval
    precisions = found.s_precision[1], found.z_mean_precision[1], found.random_precision
    shares = (f"{100 * share:.1f}" for share in precisions)
    assert rows[-1].split(" | ")[2] == "{} / {} / {}".format(*shares) and rows[-1].startswith(f"| {folder.name} |")
    factors = results.factors.values()
    from_z, from_s = (100 * np.mean([getattr(factor, code).error for factor in factors]) for code in ("z_mean", "s"))
    assert cells[-1] == f"{from_z:.1f} / {from_s:.1f}" and from_z < from_s / 2


def _with(results: Results, seed: int, leakage: float, **flags: str) -> Results:
    """The results of another seed; its z leaks so much, and seed 0 has no diversity."""
    z_mean = results.leakage.z_mean
    strongest = replace(z_mean.strongest, leakage=replace(z_mean.strongest.leakage, mean=leakage))
    run = replace(results.run, seed=seed, flags=results.run.flags | {"seed": str(seed)} | flags)
    leaking = replace(results.leakage, z_mean=replace(z_mean, strongest=strongest))
    return replace(results, run=run, leakage=leaking, diversity=results.diversity if seed else None)


def test_runs_that_differ_by_seed_alone_have_a_mean_and_a_deviation(evaluated, tmp_path):
    leaks = [0.01, 0.02, 0.06]
    for seed, leak in enumerate(leaks):
        shutil.copytree(evaluated[0], tmp_path / f"run_{seed}")
        _with(evaluated[1], seed, leak).write(tmp_path / f"run_{seed}" / "results.json")
    other = shutil.copytree(tmp_path / "run_0", tmp_path / "other")
    _with(evaluated[1], 2, leaks[2], kl_weight="7.0").write(other / "results.json")
    text = compare([*(tmp_path / f"run_{seed}" for seed in range(3)), other], tmp_path / "compared")
    means = [row for row in text.splitlines() if row.startswith("| mean of")]
    assert means[0].startswith(f"| mean of run_0, run_1, run_2 | 3.0 ± {100 * np.std(leaks, ddof=1):.1f} |")
    assert len(means) == 2 and means[1].endswith(f"| {evaluated[1].diversity.ratio:.2f} ± 0.00 |")


def test_a_mean_is_over_evaluations_of_one_split(evaluated, tmp_path):
    folder, results = evaluated
    of_validation = replace(results, run=replace(results.run, split="validation"))
    runs = {"a": results, "b": _with(results, 1, 0.03), "c": of_validation}
    for name, run in runs.items():
        shutil.copytree(folder, tmp_path / name)
        run.write(tmp_path / name / "results.json")
    text = compare([tmp_path / name for name in runs], tmp_path / "both")
    assert text.count("| mean of") == text.count("| mean of a, b |") == 2


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "evaluate the run first"),
        ("[]", "evaluate the run again"),
        ("{}", "evaluate the run again"),
        ("no run", "required field missing"),
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
    assert main([str(evaluated[0]), str(other), "--out", str(tmp_path / "none")]) == 2
    assert wrong in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_results_of_version_0_1_0_are_compared_by_the_same_numbers(old_results, evaluated, tmp_path):
    run_dir = shutil.copytree(evaluated[0], tmp_path / "quickstart")
    (run_dir / "results.json").write_text(json.dumps(old_results))
    main_table, further_table = compare([run_dir], tmp_path / "compared").split("\n\n")
    shown = "3.1 | 3.2 | 2.1 | 0.07 | 97.6 / 1.0 | 95.0 | 0.0079 / 0.0083 | 0.4 / 15.7 |"
    assert main_table.splitlines()[2] == f"| quickstart | {shown}"
    shown = "21.2 / 0.717 | 46.7 / 0.0 / 0.5 | 0.005 / 0.005 | – / – / – / – | – / – | 0.76 |"
    assert further_table.splitlines()[2] == f"| quickstart | {shown}"
