"""A run from flags to a folder: what it leaves, how it stops, and that it continues bit for bit."""

import csv
import errno
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import dfv
from dfv import data
from dfv.config.schema import Config, ConfigError
from dfv.main import main
from dfv.model.disentangler import Disentangler
from dfv.model.latent.fit import fit_latent
from dfv.training.callbacks.checkpointing import Checkpointing
from dfv.training.callbacks.metrics_csv import MetricsTable
from dfv.training.checkpoints import check_finished, last_step
from dfv.training.errors import RunError, TrainingError
from dfv.training.model_files import find_model
from dfv.training.run_flags import read_flags
from dfv.training.run_folder import locked
from dfv.training.trainer import Trainer, train
from tests.training.runs import DETERMINISTIC, SMALLEST, TINY, as_arguments, weights_of


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "tiny"
    assert main(as_arguments(TINY, run_dir)) == 0
    return run_dir


def test_a_run_folder_holds_all_that_is_promised(finished_run):
    names = {path.name for path in finished_run.iterdir()}
    assert {"checkpoints", "model.keras", "config.flags", "metrics.csv", "tensorboard"} <= names
    assert {"swap_grid.png", "reconstructions.png"} <= names
    assert any((finished_run / "tensorboard").iterdir())
    assert read_flags(finished_run) == Config.of(**TINY)


def test_metrics_have_a_row_for_each_logged_step_and_validation(finished_run):
    with (finished_run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [2, 3, 4, 6]
    assert [bool(row["val_reconstruction"]) for row in rows] == [False, True, False, True]
    assert all(np.isfinite(float(row["reconstruction"])) for row in rows if row["reconstruction"])


def test_the_flags_file_alone_repeats_the_run(finished_run, tmp_path):
    assert main([f"--flagfile={finished_run}/config.flags", f"--run_dir={tmp_path}/again"]) == 0
    again = weights_of(tmp_path / "again")
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(weights_of(finished_run), again, strict=True))


def test_a_continued_run_is_refused_by_name_if_its_flags_changed(finished_run, capsys):
    changed = TINY | {"kl_weight": 0.5, "z_dim": 5}
    assert main(as_arguments(changed, finished_run)) == 2
    error = capsys.readouterr().err
    assert "--kl_weight was 0.1, is 0.5" in error and "--z_dim was 4, is 5" in error


@pytest.mark.parametrize("mode", ["train", "evaluate"])
def test_a_run_is_refused_if_its_images_are_others_now(finished_run, tmp_path, capsys, mode):
    shutil.copytree(finished_run, tmp_path / "run")
    (tmp_path / "run" / "images.sha256").write_text("0" * 64 + "\n")
    assert main([*as_arguments(TINY, tmp_path / "run"), f"--mode={mode}"]) == 2
    assert "was trained on other images" in capsys.readouterr().err


def test_more_steps_for_a_finished_run_begin_without_its_latent_transform_and_fit_it_again(tmp_path, monkeypatch):
    flags = SMALLEST | {"shared_variance": True, "pca_dim": 2, "num_steps": 2}
    flags |= {"flow_layers": 1, "flow_units": 4, "flow_steps": 4}
    train(Config.of(**flags), tmp_path)
    seen = {}

    def one_epoch(trainer, epoch, steps, batches):
        seen[steps[0]] = trainer.model.latent.is_fitted()
        trainer.model.generator_optimizer.iterations.assign(4)

    monkeypatch.setattr(Trainer, "one_epoch", one_epoch)
    monkeypatch.setattr(Checkpointing, "save", lambda checkpointing: None)
    model = train(Config.of(**flags | {"num_steps": 4}), tmp_path)
    assert seen == {2: False} and model.latent.is_fitted(4)
    new = Disentangler(model.config, model.image_shape, model.label_sizes)
    new.encoder.set_weights(model.encoder.get_weights())
    fit_latent(new, data.load(model.config.data).train)
    for one, other in zip(model.latent.get_weights(), new.latent.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_fewer_steps_than_a_run_has_taken_are_refused_and_change_nothing(finished_run, capsys):
    before = {path.name: path.read_bytes() for path in finished_run.iterdir() if path.is_file()}
    assert main(as_arguments(TINY | {"num_steps": 5}, finished_run)) == 2
    assert "is at step 6 already, past --num_steps=5; give at least --num_steps=6" in capsys.readouterr().err
    assert before == {path.name: path.read_bytes() for path in finished_run.iterdir() if path.is_file()}


def test_the_last_step_is_that_of_the_newest_checkpoint(finished_run, tmp_path):
    assert last_step(finished_run) == 6 and last_step(tmp_path) is None


def test_a_second_process_is_refused(tmp_path):
    with locked(tmp_path), pytest.raises(RunError, match="another process"), locked(tmp_path):
        pass


def test_load_says_what_is_missing(tmp_path):
    with pytest.raises(RunError, match="no model.keras yet"):
        find_model(tmp_path)
    with pytest.raises(RunError, match="neither a run folder nor a shipped model"):
        find_model("nowhere")
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").touch()
    for exported in (tmp_path, tmp_path / "1"):
        with pytest.raises(RunError, match="is an exported model.*expected a run folder"):
            find_model(exported)
    (tmp_path / "model.keras").write_bytes(b"no model")
    with pytest.raises(RunError, match="not a model that this version can load"):
        dfv.load(tmp_path)


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_term(tmp_path):
    config = Config.of(**SMALLEST, generator_learning_rate=1e30, generator_optimizer="sgd")
    with pytest.raises(TrainingError, match=r"not finite: \w+ at step \d"):
        train(config, tmp_path / "run")


def test_batches_that_do_not_fit_in_memory_stop_the_run_with_a_sentence(tmp_path, monkeypatch):
    def exhausted(*_):  # as NumPy does; TensorFlow's own allocator tries for 10 s before it says so
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr("dfv.data.triplet_sampler.TripletSampler.sample", exhausted)
    with pytest.raises(TrainingError, match="memory.*--batch_size=4.*another --run_dir"):
        train(Config.of(**SMALLEST), tmp_path / "run")


def test_a_step_that_does_not_fit_in_memory_stops_the_run_with_a_sentence(tmp_path, monkeypatch):
    def exhausted(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[4,8]\nand more")

    monkeypatch.setattr(Disentangler, "train_step", exhausted)
    with pytest.raises(TrainingError, match=r"memory \(OOM when allocating tensor with shape\[4,8\]\)"):
        train(Config.of(**SMALLEST), tmp_path / "run")


def test_a_damaged_checkpoint_gives_way_to_the_one_before(finished_run, tmp_path, caplog):
    run_dir = shutil.copytree(finished_run, tmp_path / "run")
    newest = run_dir / "checkpoints" / "ckpt-6.data-00000-of-00001"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    trainer = Trainer(*parts_of_a_run(Config.of(**TINY), run_dir))
    assert trainer.restored_step == 3 and "ckpt-6 is damaged" in caplog.text


def test_no_checkpoint_is_written_before_its_model(tmp_path, monkeypatch):
    monkeypatch.setattr("dfv.training.model_files.ModelFile.save", _full)
    with pytest.raises(RunError, match="No space left on device"):
        train(Config.of(**SMALLEST), tmp_path / "run")
    assert last_step(tmp_path / "run") is None


def test_a_model_whose_checkpoint_was_not_written_is_not_evaluated(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("dfv.training.checkpoints.Checkpoints.save", _full)
    assert main(as_arguments(SMALLEST, tmp_path / "run")) == 2
    assert (tmp_path / "run" / "model.keras").exists()
    assert main(["--mode=evaluate", f"--run_dir={tmp_path}/run"]) == 2
    assert "is not finished: it stopped at step 0 of 6" in capsys.readouterr().err


def test_a_finished_run_is_whole_without_its_checkpoints(finished_run, tmp_path):
    run_dir = shutil.copytree(finished_run, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))
    check_finished(run_dir, dfv.load(run_dir))


def _full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_when_a_run_goes_on_leaves_its_metrics(tmp_path, monkeypatch):
    path = tmp_path / "metrics.csv"
    MetricsTable(path, ["loss"], 0).add(2, {"loss": 1.5})
    before = path.read_text()
    monkeypatch.setattr("dfv.training.callbacks.metrics_csv.write_whole", _full)
    with pytest.raises(OSError, match="No space left"):
        MetricsTable(path, ["loss"], 2)
    assert path.read_text() == before


def test_metrics_of_an_earlier_version_keep_their_values_under_the_terms_names(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,kernel,z_classifier\n2,0.5,-1.25\n")
    MetricsTable(path, ["mean_kernel", "latent_adversary"], 2)
    assert path.read_text().splitlines() == ["step,mean_kernel,latent_adversary", "2,0.5,-1.25"]


def test_a_run_whose_checkpoints_do_not_fit_is_left_as_it_is(finished_run, tmp_path):
    run_dir = shutil.copytree(finished_run, tmp_path / "run")
    with pytest.raises(RunError, match="none of the 2 checkpoints .* fits.*move the run's folder away"):
        # As when the images have other identities by now: the run's flags are the same, the networks are not.
        Trainer(*parts_of_a_run(Config.of(**TINY).replace(s_dim=9), run_dir))
    assert len(list((run_dir / "checkpoints").glob("*.index"))) == 2
    assert len((run_dir / "metrics.csv").read_text().splitlines()) > 2


def test_s_is_not_pretrained_again_after_the_checkpoint_that_follows_it(tmp_path, monkeypatch):
    config, calls = Config.of(**SMALLEST).replace(pretrain_s_steps=2, num_steps=1), []

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dfv.training.trainer.pretrain_s", lambda *_: calls.append("pretrained"))
    monkeypatch.setattr(Trainer, "one_step", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path / "run")
    assert calls == ["pretrained"]


def test_training_alone_is_augmented(tmp_path):
    config = Config.of(**SMALLEST | {"augment_flip": True, "augment_shift": 2})
    trainer = Trainer(*parts_of_a_run(config, tmp_path / "run"))

    def are_images_as_they_are(split: str) -> bool:
        part = getattr(trainer.splits, split)
        own = {image.tobytes() for image in part.images[np.arange(len(part))]}
        shown = next(iter(trainer.source.batches(split, first_step=0)))["x1"].numpy()
        return all(image.tobytes() in own for image in shown)

    assert are_images_as_they_are("validation") and not are_images_as_they_are("train")


def test_triplets_are_those_of_the_runs_seed_and_options_and_validation_is_on_held_out_images(tmp_path):
    config = Config.of(**SMALLEST | {"seed": 3, "x2_any_identity": True})
    trainer = Trainer(*parts_of_a_run(config, tmp_path / "run"))
    size = config.training.batch_size
    expected = dfv.triplets(trainer.splits.train, batch_size=size, seed=3, x2_any_identity=True, first_step=2)
    for name, values in next(iter(trainer.source.batches("train", first_step=2))).items():
        np.testing.assert_array_equal(values, next(iter(expected))[name], err_msg=name)
    held_out = {image.tobytes() for image in trainer.splits.validation.images[:]}
    for batch in itertools.islice(trainer.validation.batches, 3):
        assert all(image.tobytes() in held_out for image in batch["x1"].numpy())


def parts_of_a_run(config: Config, run_dir: Path) -> tuple:
    splits = data.load(config.data)
    model = Disentangler(config, splits.train.image_shape, splits.label_sizes)
    model.compile()
    return model, config, splits, run_dir, tf.distribute.get_strategy()


def test_the_same_bits_cannot_be_had_from_a_process_that_has_begun_to_compute(tmp_path):
    assert tf.constant(1.0).device
    with pytest.raises(ConfigError, match="--deterministic must be set before"):
        train(Config.of(**TINY | DETERMINISTIC), tmp_path / "run")
    assert not (tmp_path / "run").exists()
