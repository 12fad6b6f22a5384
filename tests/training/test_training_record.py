"""What a run was trained with is in its folder, and in its results."""

import json

import pytest

from dfv import provenance
from dfv.config.schema import Config
from dfv.main import main
from dfv.training.trainer import train
from dfv.training.training_record import TRAINING_FILE, add_training, read_training
from tests.training.runs import SMALLEST, as_arguments

FLAGS = SMALLEST | {"num_steps": 2}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "run"
    train(Config.of(**FLAGS), run_dir)
    return run_dir


def test_a_run_says_what_it_was_trained_with(run_dir):
    record = read_training(run_dir)
    assert record is not None and record == provenance.Provenance(
        **vars(provenance.current_provenance(0)) | {"minutes": record.minutes}
    )
    assert 0 < record.minutes < 10


def test_minutes_of_a_continued_run_are_added_and_of_a_finished_one_are_not(run_dir):
    before = read_training(run_dir).minutes
    train(Config.of(**FLAGS), run_dir)
    assert read_training(run_dir).minutes == before
    train(Config.of(**FLAGS | {"num_steps": 3}), run_dir)
    assert read_training(run_dir).minutes > before


def test_a_folder_without_a_record_or_with_a_damaged_one_has_none(tmp_path):
    assert read_training(tmp_path) is None
    for text in ("", "{}", json.dumps({"minutes": "long"})):
        (tmp_path / TRAINING_FILE).write_text(text)
        assert read_training(tmp_path) is None
    add_training(tmp_path, 1.5)
    add_training(tmp_path, 2.0)
    assert read_training(tmp_path).minutes == 3.5


def test_an_evaluation_is_given_it(run_dir, monkeypatch):
    given = {}
    monkeypatch.setattr("dfv.evaluation.evaluate", lambda *args, **options: given.update(options))
    flags = FLAGS | {"num_steps": 3}
    train(Config.of(**flags), run_dir)
    assert main([*as_arguments(flags, run_dir), "--mode=evaluate"]) == 0
    assert given["training"] == read_training(run_dir) is not None
