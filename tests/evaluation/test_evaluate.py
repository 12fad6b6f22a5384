"""The whole evaluation: which measurements a data set allows, and what they find."""

import dataclasses

import numpy as np
import pytest

from dfv.config.schema import Config, ConfigError
from dfv.data import from_arrays
from dfv.data.dataset import ImageSet, Splits
from dfv.evaluation import evaluate
from dfv.evaluation.context import EvaluationContext
from dfv.evaluation.encoded_images import encode
from dfv.evaluation.evaluated_run import command
from dfv.evaluation.measurements import MEASUREMENTS


def test_the_returned_results_are_those_of_the_file(evaluated):
    folder, results = evaluated
    assert (folder / "results.json").read_text() == results.to_json()
    assert results.run.unseen_identities and results.run.num_images.test == 200
    assert results.leakage.s.strongest.test_error < 0.05 and results.leakage.z_mean.strongest.test_error > 0.4
    assert results.reconstruction.own.mse < 1e-5
    assert results.identity_swaps.swap_mean["third"].s_source > 0.9
    assert results.factor_swaps.swap_mean["height"].z_source > 0.9
    assert results.retrieval.s_precision[1] > results.retrieval.z_mean_precision[1]
    assert results.dependence.s.p_value < 0.05


def test_a_run_is_described_without_places_of_data(evaluated):
    run = evaluated[1].run
    assert (run.dataset, run.split, run.seed, run.split_index, run.num_steps) == ("smallnorb", "test", 0, 0, 10_000)
    assert run.flags["widths"] == "32,64,128" and not {"data_dir", "image_dir", "cache_dir"} & set(run.flags)
    command = "--dataset=smallnorb --widths=32,64,128 --mode=train_and_evaluate --evaluate_split=test --probe_seeds=1"
    assert run.command == f"python -m dfv.main {command}"
    made = run.evaluation
    assert made.commit and made.cpu and made.cores > 0 and 0 < made.minutes < 60 and "tensorflow" in made.versions


def test_validation_unseen_and_without_attributes_is_probed_within_itself(tmp_path, codec, make_splits, tiny):
    splits = make_splits(unseen=True)
    train, validation, test = (
        ImageSet(part.images, part.identity) for part in (splits.train, splits.validation, splits.test)
    )
    hidden = dataclasses.replace(test, images=np.zeros_like(test.images))
    splits = Splits(train, validation, hidden)
    config = Config.of(dataset="image_folder", image_dir="any")
    results = evaluate(codec(), splits, config, tmp_path, seeds=1, progress=False, limits=tiny, split="validation")
    assert tuple(results.run.num_images) == (200, 40, 120)
    assert {results.factors, results.factor_swaps, results.analogies} == {None}
    rates = results.identity_swaps.swap_mean["identity"]
    assert rates.s_source > 0.9 and rates.z_source < 0.1
    assert results.leakage.s.strongest.test_error < 0.1 and results.leakage.z_mean.strongest.test_error > 0.7
    assert results.oracle_errors.train["identity"] < 0.1 > results.oracle_errors.test["identity"]


@pytest.mark.parametrize("images", [2, pytest.param(3, marks=pytest.mark.slow)])
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
    assert sum(results.leakage.num_images) <= 2 * images and results.identity_swaps is None
    assert "evaluated on" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_arrays_of_ones_own_are_evaluated_and_not_taken_for_what_a_config_says_by_default(
    tmp_path, codec, drawn, tiny, caplog
):
    caplog.set_level("INFO", "dfv")
    identity, factor = np.arange(240) % 6, np.arange(240) // 6 % 4
    splits = from_arrays(drawn(identity, factor, seed=0), identity, factors={"height": factor})
    with pytest.raises(ConfigError, match=r"lack its arms, .*Config.of\(dataset=\"arrays\"\)"):
        evaluate(codec(), splits, Config.of(), tmp_path, progress=False, limits=tiny)
    assert not list(tmp_path.iterdir())
    results = evaluate(codec(), splits, Config.of(dataset="arrays"), tmp_path, seeds=1, progress=False, limits=tiny)
    assert results.leakage.s.strongest.test_error < 0.1 and results.analogies is None
    assert f"Evaluating: leakage, 7 of {len(MEASUREMENTS)}" in caplog.messages


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
    assert results.analogies.mse_ratio == 0 < results.analogies.copy_of_s_source.mse
    twinless = results.leakage.s.subsets["without_twin"].test_error
    rows = encode(codec(), splits.test, 60).rows
    assert twinless >= 0.5 and twinless * np.mean(splits.test.attributes["hair"][rows] == 3) == pytest.approx(
        results.leakage.s.strongest.test_error
    )
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "without twin" in report and "copy of the s source" in report
    assert (tmp_path / "figures" / "analogies.png").exists()


@pytest.mark.parametrize("stronger", [False, True])
def test_stronger_probes_take_part_if_asked_for(codec, make_splits, tiny, monkeypatch, stronger):
    given = {}
    monkeypatch.setattr("dfv.evaluation.measurements.measure_leakage", lambda *_, **named: given.update(named))
    more = {"stronger_probes": True} if stronger else {}
    config = Config.of(dataset="smallnorb")
    context = EvaluationContext(codec(), make_splits(), config, split="test", num_seeds=1, sizes=tiny, **more)
    dict(MEASUREMENTS)["leakage"](context)
    assert given["families"] == ("network", "linear", "neighbours", "deep", "trees")[: 5 if stronger else 3]
    assert ("--stronger_probes=true" in command({}, "test", 1, **more)) == stronger
