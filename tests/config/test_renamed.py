"""Earlier names of options: every place that reads option names takes them, and a person is told the current one."""

from pathlib import Path

import pytest

from dfv.config.flag_files import expand
from dfv.config.renamed import RENAMED, current_names
from dfv.config.schema import Config, ConfigError, option_fields
from dfv.main import parse_config
from dfv.model.codec import Codec
from dfv.training.model_files import load
from dfv.training.run_flags import read_flags
from tests.golden.outputs import MODELS

CURRENT = {field.name: field for _, field in option_fields()}


def test_each_earlier_name_leads_to_an_option_and_is_none_itself():
    assert set(RENAMED.values()) <= set(CURRENT)
    assert not set(RENAMED) & set(CURRENT)


@pytest.mark.parametrize("earlier", RENAMED)
def test_python_takes_an_earlier_name_and_warns(earlier, caplog):
    value = CURRENT[RENAMED[earlier]].default
    assert Config.of(**{earlier: value}) == Config()
    assert f"{earlier} is now called {RENAMED[earlier]}" in caplog.text


@pytest.mark.parametrize(
    ("argument", "current"),
    [
        ("--z_axes=8", "--pca_dim=8"),
        ("-z_axes=8", "-pca_dim=8"),
        ("--flow_alone", "--flow_to_normal"),
        ("--noflow_alone", "--noflow_to_normal"),
        ("--z_axes", "--pca_dim"),
        ("z_axes", "z_axes"),
        ("--data_dir=--z_axes=8", "--data_dir=--z_axes=8"),
        ("--z_axes_too=8", "--z_axes_too=8"),
    ],
)
def test_arguments_get_current_names(argument, current):
    assert expand([argument])[0] == [current]


def test_a_later_flag_wins_whichever_name_it_has(tmp_path, caplog):
    (tmp_path / "run.flags").write_text("--z_axes=16\n--shared_variance\n--flow_alone=true\n")
    config = parse_config([f"--flagfile={tmp_path}/run.flags", "--pca_dim=8", "--z_axes=4"])
    assert (config.latent.pca_dim, config.latent.flow_to_normal) == (4, True)
    assert caplog.text.count("--z_axes is now called --pca_dim; the earlier name still works.") == 1
    assert "--flow_alone is now called --flow_to_normal" in caplog.text


def test_both_names_at_once_are_refused():
    with pytest.raises(ConfigError, match="z_axes is the earlier name of pca_dim"):
        Config.of(pca_dim=2, z_axes=3)


def test_files_of_an_earlier_version_load_without_a_warning(caplog):
    folder = Path(MODELS["quickstart"])
    text = (folder / "config.flags").read_text()
    assert "--z_axes=16\n" in text  # the point of this test: it was written before the renames
    model = load(folder)
    assert read_flags(folder) == model.config and model.config.latent.pca_dim == 16
    written = model.get_config()
    earlier = {current: name for name, current in RENAMED.items()}
    flags = {earlier.get(name, name): value for name, value in written["flags"].items()}
    assert Codec.from_config(written | {"flags": flags}).config == model.config
    assert not caplog.text


def test_options_without_another_name_are_left():
    assert current_names({"s_dim": 3, "z_axes": 2}) == {"s_dim": 3, "pca_dim": 2}
