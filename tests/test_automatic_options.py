"""Options that a folder gets, and which of them flags replace; a run can be repeated from its own file."""

import logging

import numpy as np
import pytest
from PIL import Image

from dfv.automatic_options import automatic_config
from dfv.config.schema import DataConfig
from dfv.data.sources.image_folder.survey import Survey, survey
from dfv.main import main, parse_config
from dfv.training.run_flags import read_flags


def chosen(found, **flags):
    return automatic_config({"image_dir": "images"} | flags, found)


@pytest.mark.parametrize(("side", "size", "levels"), [(8, 16, 3), (28, 28, 3), (48, 48, 3), (64, 64, 3), (3000, 64, 3)])
def test_the_size_is_that_of_the_images_up_to_a_limit(side, size, levels):
    config = chosen(Survey(10, 10_000, 1_000, side))
    assert config.data.image_size == size and len(config.network.widths) == levels


@pytest.mark.parametrize(("size", "levels", "steps"), [(32, 3, 9_000), (48, 3, 6_000), (64, 3, 4_500), (128, 4, 4_500)])
def test_networks_and_steps_suit_a_given_image_size(size, levels, steps):
    config = chosen(Survey(10, 10_000, 1_000, 40), image_size=size)
    assert (config.data.image_size, len(config.network.widths), config.training.num_steps) == (size, levels, steps)


@pytest.mark.parametrize(
    ("num_identities", "split_by", "labels"),
    [(28, "within", "identity"), (99, "within", "identity"), (100, "across", "identity"), (301, "across", "pair")],
)
def test_many_identities_are_held_out_and_too_many_compared_in_pairs(num_identities, split_by, labels):
    config = chosen(Survey(num_identities, 2_000, 4, 64))
    assert config.data.split_by == split_by
    assert config.network.adversary_labels == config.loss.latent_adversary_labels == labels


def test_few_images_are_not_to_be_memorized():
    few, many = (chosen(Survey(40, number, 10, 64)) for number in (400, 8_000))
    assert few.loss.adversary_augmentation and few.training.keep == "best" and few.latent.rounding_step
    assert few.data.augment_shift == 0 and not few.data.augment_flip
    assert not many.loss.adversary_augmentation and many.training.keep == "last"
    assert many.latent.codebook_size and many.latent.rounding_step and not few.latent.codebook_size


@pytest.mark.parametrize(
    ("num_identities", "num_images", "fewest", "weight"),
    [(10, 10_000, 1_000, 0.05), (10, 5_000, 500, 0.05), (20, 10_000, 499, 0.005), (4, 4_000, 1_000, 0.005)],
)
def test_independence_losses_are_stronger_with_many_images_of_each_identity(num_identities, num_images, fewest, weight):
    loss = chosen(Survey(num_identities, num_images, fewest, 28)).loss
    assert loss.latent_adversary_weight == weight
    assert loss.identity_mmd_weight == (1.0 if weight == 0.05 else 0.1)


@pytest.mark.parametrize(("name", "other"), [("codebook_size", "rounding_step"), ("rounding_step", "codebook_size")])
def test_a_given_codebook_or_rounding_stands_alone(name, other):
    latent = chosen(Survey(20, 10_000, 50, 32), **{name: 2}).latent
    assert getattr(latent, name) == 2 and getattr(latent, other) == 0


@pytest.mark.parametrize(
    "flags",
    [
        {"codebook_size": 64},
        {"rounding_step": 1.0},
        {"include_validation": True},
        {"strategy": "multi_worker"},
        {"identity_classifier_weight": 0.0},
        {"shared_variance": False},
        {"pca_dim": 0},
        {"pretrain_s_steps": 100},
    ],
    ids=str,
)
@pytest.mark.parametrize("num_images", [1_000, 10_000])
def test_choices_that_a_flag_excludes_are_dropped(num_images, flags):
    ((name, value),) = flags.items()
    assert chosen(Survey(20, num_images, 50, 32), **flags).as_flags()[name] == value


def test_flags_replace_choices_which_are_told_with_reasons(caplog):
    caplog.set_level(logging.INFO)
    config = chosen(Survey(40, 400, 10, 64), image_size=32, kl_weight=0.3, keep="last")
    assert (config.data.image_size, config.loss.kl_weight, config.training.keep) == (32, 0.3, "last")
    assert "Found 40 identities with 400 images, at least 10 of each" in caplog.text
    assert "--split_by=within: 40 identities are too few" in caplog.text
    assert "--image_size" not in caplog.text and "--keep" not in caplog.text


def test_a_survey_counts_what_is_there_and_leaves_bad_files_to_the_reader(tmp_path):
    sizes = {"a": [(40, 90), (41, 80), (42, 50)], "b": [(43, 43), (90, 44)]}
    for name, shapes in sizes.items():
        (tmp_path / name).mkdir()
        for number, shape in enumerate(shapes):
            Image.fromarray(np.zeros(shape, np.uint8)).save(tmp_path / name / f"{number}.png")
    (tmp_path / "b" / "bad.png").write_bytes(b"no image")
    assert survey(DataConfig(image_dir=str(tmp_path))) == Survey(
        num_identities=2, num_images=6, fewest_images=3, side=42
    )


def test_a_folder_alone_is_trained_and_the_runs_own_file_repeats_it(tmp_path, monkeypatch, caplog):
    rng = np.random.default_rng(0)
    for name in "abcd":
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(8):
            pixels = rng.integers(0, 256, (16, 16), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / name / f"{number}.png")
    (tmp_path / "pets" / "notes.txt").write_text("no image")
    monkeypatch.chdir(tmp_path)
    small = ["--num_steps=2", "--batch_size=4", "--widths=4,4", "--adversary_widths=4,4", "--s_dim=3", "--z_dim=5"]
    small += ["--pca_dim=2", "--flow_layers=1", "--flow_units=4", "--flow_steps=5"]
    assert main(["--image_dir=pets", *small]) == 0
    assert caplog.text.count("skipped") == 1
    config = read_flags(tmp_path / "runs" / "pets")
    assert (config.data.dataset, config.data.image_size, config.network.z_dim) == ("image_folder", 16, 5)
    assert config.loss.adversary_augmentation and config.training.keep == "best"
    assert parse_config(["--flagfile=runs/pets/config.flags", "--run_dir=again"]) == config


def test_options_for_a_list_of_images_are_those_of_its_images(tmp_path, monkeypatch):
    configs, lines = [], ["path,identity"]
    for number in range(20):
        lines.append(f"{number}.png,{number % 4}")
        Image.fromarray(np.full((20, 30), number, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "pets.csv").write_text("\n".join(lines))
    monkeypatch.setattr("dfv.main.train_run", lambda run_dir, config: configs.append((run_dir.name, config)))
    monkeypatch.chdir(tmp_path)
    assert main(["--image_list=pets.csv"]) == main(["--image_dir=.", "--identity_pattern=(?P<identity>[0-9])"]) == 0
    (name, by_list), (_, by_pattern) = configs
    assert name == "pets" and by_list.data.image_list == str(tmp_path / "pets.csv")
    assert by_list.data.image_size == by_pattern.data.image_size == 20
    assert by_list.data.dataset == by_pattern.data.dataset == "image_folder"
