"""Every file in configs: it parses, says what it is, and its model takes two steps."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.noise import SETS, random_batch, shapes
from dfv.config.command_line import parse
from dfv.config.flag_files import SHIPPED
from dfv.config.schema import Config
from dfv.main import GROUPS
from dfv.model.disentangler import Disentangler

RUN_FILES = sorted(path for folder in SHIPPED for path in folder.glob("*.flags"))
every_run_file = pytest.mark.parametrize("path", RUN_FILES, ids=lambda path: path.stem)


def config_in(path: Path) -> tuple[Config, str | None]:
    """The config of a run file as the program reads it, image_folder's with some folder, and the run's name."""
    folder = ["--image_dir=any"] if path.stem == "image_folder" else []
    arguments = parse([f"--flagfile=configs/{path.name}", *folder], GROUPS, "dfv.main")
    return arguments.config, arguments.run_file


@every_run_file
def test_it_parses_and_says_what_it_is(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert config_in(path)[1] == path.stem
    header = path.read_text()
    assert f"--flagfile=configs/{path.name}" in header
    assert all(word in header.lower() for word in ("command:", "data:", "time", "result"))


@every_run_file
def test_its_model_takes_two_steps(path, monkeypatch):
    monkeypatch.setitem(SETS, "toy_sprites", ((32, 32, 3), (12, 4, 6)))
    monkeypatch.setitem(SETS, "image_folder", ((64, 64, 1), (12,)))
    config = config_in(path)[0].replace(batch_size=2)
    model, batch = Disentangler(config, *shapes(config)), random_batch(config)
    model.compile()
    before = model.generator_variables[0].numpy()
    for _ in range(2):
        model.train_step(batch)
    assert (model.generator_variables[0].numpy() != before).any()
    assert all(np.isfinite(value) for value in model.means.result().values())
