"""Flags' ranges and types, and how a config is put together."""

import dataclasses
import math
import re

import numpy as np
import pytest

from dfv.config.fields import Role, describe_range
from dfv.config.schema import FREE_TO_CHANGE, Config, ConfigError, LossConfig, names_by_role, option_fields

FIELDS = [field for _, field in option_fields()]


def test_flags_names_are_unique():
    names = [field.name for field in FIELDS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("field", [f for f in FIELDS if f.metadata["at_least"] is not None], ids=lambda f: f.name)
def test_range_includes_its_ends_and_nothing_outside(field):
    step = 1 if field.type is int else 1e-6
    ends = [field.metadata["at_least"], field.metadata["at_most"]]
    for end, outside in zip(ends, (-step, step), strict=True):
        if end is None:
            continue
        flags = {"shared_variance": True, field.name: field.type(end)}  # which --rounding_step needs
        assert Config.of(**flags).as_flags()[field.name] == end
        with pytest.raises(ConfigError, match=f"--{field.name} expects {describe_range(field)}; got"):
            Config.of(**{field.name: field.type(end) + outside})


@pytest.mark.parametrize("field", [f for f in FIELDS if f.type is float], ids=lambda f: f.name)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_every_number_must_be_finite(field, value):
    with pytest.raises(ConfigError, match=f"--{field.name} expects"):
        Config.of(**{field.name: value})


@pytest.mark.parametrize("field", [f for f in FIELDS if f.metadata["choices"]], ids=lambda f: f.name)
def test_choice_names_what_may_be_chosen(field):
    last = field.metadata["choices"][-1]
    with pytest.raises(ConfigError, match=f"--{field.name} expects one of .*{last}; got 'no such'"):
        Config.of(**{field.name: "no such"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 64.0),
        ("batch_size", "64"),
        ("batch_size", True),
        ("kl_weight", "1"),
        ("kl_weight", False),
        ("grayscale", 1),
        ("dataset", None),
        ("widths", "8,16,32"),
        ("widths", [8, True, 32]),
        ("widths", (8, 16.0, 32)),
        ("widths", (8, 16, 0)),
    ],
)
def test_wrong_type(name, value):
    with pytest.raises(ConfigError, match=f"--{name} expects an? "):
        Config.of(**{name: value})


def test_a_loss_without_terms_is_refused():
    weights = [field.name for field in FIELDS if field.name in vars(LossConfig()) and field.name.endswith("_weight")]
    none = dict.fromkeys(weights, 0)
    with pytest.raises(ConfigError, match="nothing to learn.*--reconstruction_weight.*--latent_adversary_weight"):
        Config.of(**none)
    needed = {"swap_identity_weight": {"identity_classifier_weight": 1}}
    assert all(Config.of(**none | {name: 1} | needed.get(name, {})) for name in weights)


def test_unknown_option_is_named():
    with pytest.raises(ConfigError, match="no such option: no_such_flag; .*--help"):
        Config.of(no_such_flag=1, batch_size=8)


def test_records_check_themselves_too():
    with pytest.raises(ConfigError, match="--kl_weight"):
        LossConfig(kl_weight=-1.0)


def test_replace_changes_what_it_is_given_in_any_group_and_leaves_the_original():
    before = Config.of(dataset="mnist", s_dim=16)
    after = before.replace(s_dim=8, kl_weight=0.5, num_steps=7)
    changed = {name: value for name, value in after.as_flags().items() if before.as_flags()[name] != value}
    assert changed == {"s_dim": 8, "kl_weight": 0.5, "num_steps": 7}
    assert before.network.s_dim == 16 and after.data.dataset == "mnist"
    assert Config.of(**after.as_flags()) == after


def test_config_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().loss.kl_weight = 2.0


def test_defaults_are_algorithm_1():
    loss, network = Config().loss, Config().network
    assert loss.reconstruction_weight == loss.swap_same_weight == 1.0 and loss.kl_weight > 0
    assert loss.swap_other_weight == loss.prior_sample_weight > 0
    ours = (
        "identity_classifier_weight",
        "swap_identity_weight",
        "identity_mmd_weight",
        "mean_kernel_weight",
        "latent_adversary_weight",
    )
    assert all(getattr(loss, name) == 0 for name in ours) and not network.shared_variance
    assert Config().latent.rounding_step == Config().latent.pca_dim == Config().latent.flow_layers == 0
    assert not loss.reconstruct_all and not loss.adversary_sees_prior_samples
    assert loss.real_label == 1.0 and loss.adversary_max_accuracy == 1.0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"swap_identity_weight": 1.0}, "--swap_identity_weight needs the classifier"),
        ({"rounding_step": 1.0}, "--rounding_step needs --shared_variance"),
        ({"pca_dim": 8}, "--pca_dim needs --shared_variance"),
        ({"codebook_size": 8}, "--codebook_size needs --shared_variance"),
        ({"jit_compile": True, "strategy": "mirrored"}, "--strategy=one_device"),
        ({"deterministic": True, "strategy": "multi_worker"}, "--strategy=one_device"),
        ({"keep": "best", "strategy": "multi_worker"}, "files of one machine"),
        ({"pretrain_s_steps": 1, "flow_layers": 1}, "do not work with a pre-trained s"),
        ({"pretrain_s_steps": 1, "start_from": "run"}, "--start_from and --pretrain_s_steps exclude each other"),
        ({"keep": "best", "include_validation": True}, "held-out validation images"),
    ],
)
def test_combinations_that_cannot_work(flags, message):
    with pytest.raises(ConfigError, match=message):
        Config.of(**flags)
    working = {"strategy": "one_device", "shared_variance": True}
    working["identity_classifier_weight"] = 1.0
    Config.of(**flags | working | {"include_validation": False, "pretrain_s_steps": 0})


FOLDER = {"dataset": "image_folder", "image_dir": "images"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"dataset": "image_folder"}, "needs --image_dir, .* or --image_list"),
        ({"dataset": "tfds"}, "--dataset=tfds needs --tfds_name"),
        ({"identity_pattern": "(?P<identity>.)"}, "--identity_pattern needs --image_dir"),
        ({"image_dir": "images"}, "--image_dir=images needs --dataset=image_folder; got --dataset=toy_sprites"),
        ({"dataset": "mnist", "image_list": "list.csv"}, "--image_list=list.csv needs --dataset=image_folder"),
        ({"tfds_name": "mnist"}, "--tfds_name needs --dataset=tfds"),
        (FOLDER | {"image_list": "list.csv", "identity_pattern": "(?P<identity>.)"}, "exclude each other"),
        (
            FOLDER | {"identity_pattern": "(.*)_"},
            r"expects a regular expression with a group .*'\(\.\*\)_': it has no such",
        ),
        (FOLDER | {"identity_pattern": "(?P<identity>"}, "got .*: missing"),
        (FOLDER | {"identity_pattern": "(?P<identity>.) "}, "line breaks, or spaces at its ends"),
        (FOLDER | {"identity_pattern": "(?P<identity>.)\n#"}, "line breaks"),
    ],
)
def test_data_that_cannot_be_found(flags, message):
    with pytest.raises(ConfigError, match=message):
        Config.of(**flags)
    Config.of(**FOLDER, identity_pattern="(?P<identity>.)")
    Config.of(dataset="image_folder", image_list="list.csv")


def test_numpy_numbers_are_not_silently_another_type():
    with pytest.raises(ConfigError, match="--batch_size"):
        Config.of(batch_size=np.float64(64))


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("s_dim", np.int64(16), 16),
        ("kl_weight", np.float64(0.5), 0.5),
        ("kl_weight", np.float32(0.25), 0.25),
        ("widths", [8, 16, 32], (8, 16, 32)),
        ("widths", tuple(np.array([8, 16, 32])), (8, 16, 32)),
    ],
)
def test_lists_and_numpy_numbers_are_kept_as_plain_python(name, given, kept):
    assert repr(Config.of(**{name: given}).as_flags()[name]) == repr(kept)


def test_each_role_lists_its_options():
    locations = {"data_dir", "manual_dir", "image_dir", "image_list", "skip_bad_images", "cache_dir", "memory_limit_mb"}
    output = {"log_steps", "validation_steps", "checkpoint_steps", "checkpoint_minutes", "num_checkpoints"}
    assert names_by_role(Role.DATA_LOCATION) == locations
    assert names_by_role(Role.LENGTH) == {"num_steps"} and names_by_role(Role.PRESENTATION) == {"progress"}
    assert names_by_role(Role.REPETITION) == {"seed", "split_index"} and names_by_role(Role.OUTPUT) == output
    assert locations | output | {"num_steps", "progress"} == FREE_TO_CHANGE
    assert names_by_role(*Role) == {field.name for field in FIELDS}


def test_help_texts_are_sentences():
    jargon = r"\b[Oo]urs\b|in use|\btold\b|\bbeside\b|\bjudge|\bdonor|\balike\b|\banew\b"
    for field in FIELDS:
        text = field.metadata["help"]
        assert text[0].isupper() and text.endswith("."), field.name
        assert not re.search(jargon, text), field.name
