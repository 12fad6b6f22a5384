"""Checkpoints are found whatever became of TensorFlow's list of them; without any, no trained model is replaced."""

import pytest

from dfv.config.schema import Config
from dfv.model.disentangler import Disentangler
from dfv.training.callbacks.checkpointing import Checkpointing
from dfv.training.checkpoints import Checkpoints, last_step
from dfv.training.errors import RunError
from tests.training.runs import SMALLEST


@pytest.fixture(scope="module")
def model():
    compiled = Disentangler(Config.of(**SMALLEST), (16, 16, 3), (3,))
    compiled.compile()
    return compiled


@pytest.fixture
def run_dir(model, tmp_path):
    """A run with checkpoints of steps 3, 9 and 12, in which the bias of s is the step."""
    checkpoints = Checkpoints(model, tmp_path, keep=3, is_chief=True)
    for step in (3, 9, 12):
        model.encoder.s_head.bias.assign([float(step)] * 4)
        checkpoints.save(step)
    model.encoder.s_head.bias.assign([0.0] * 4)
    return tmp_path


@pytest.mark.parametrize("content", [None, b"", b"model_checkpoint_path: \x00", b"all_model"])
def test_a_missing_or_damaged_list_is_written_again(model, run_dir, content, caplog):
    listed = run_dir / "checkpoints" / "checkpoint"
    listed.unlink()
    if content is not None:
        listed.write_bytes(content)
    assert last_step(run_dir) == 12
    checkpoints = Checkpoints(model, run_dir, keep=3, is_chief=True)
    assert checkpoints.restore() == 12 and "missing or damaged; found 3" in caplog.text
    assert model.encoder.s_head.bias.numpy().tolist() == [12.0] * 4
    checkpoints.save(15)
    assert sorted(path.stem for path in listed.parent.glob("*.index")) == ["ckpt-12", "ckpt-15", "ckpt-9"]


def test_a_folder_without_checkpoints_is_a_run_that_has_not_begun(model, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "checkpoint").touch()
    assert Checkpoints(model, tmp_path, keep=3, is_chief=True).restore() is None and last_step(tmp_path) is None


def test_a_model_whose_checkpoints_were_deleted_is_not_replaced(model, tmp_path):
    (tmp_path / "model.keras").write_bytes(b"trained")
    with pytest.raises(RunError, match="has a trained model but no checkpoints/ to resume from"):
        Checkpoints(model, tmp_path, keep=3, is_chief=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_a_checkpoint_is_due_after_some_minutes(model, tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("dfv.training.callbacks.checkpointing.time.monotonic", lambda: now[0])
    saving = Checkpointing(tmp_path, every_steps=1000, every_minutes=2)
    saving.set_model(model)
    saving.on_train_begin()
    saving.on_epoch_begin(0)
    for minutes, saved in ((1.9, False), (2.1, True)):
        now[0] = 60 * minutes
        saving.on_train_batch_end(0)
        saving.on_train_batch_begin(1)
        assert (last_step(tmp_path) is not None) == saved
