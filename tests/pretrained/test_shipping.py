"""A run added to the models of the package: weights in half precision, no paths, and the same splits of its data."""

from pathlib import Path

import numpy as np
import pytest

import dfv
from dfv.model.codec import Codec
from dfv.pretrained.__main__ import main, ship
from dfv.pretrained.half_precision import write_in_half_precision
from dfv.training.errors import RunError
from dfv.training.model_files import MODEL_FILE
from dfv.training.run_flags import read_flags, write_flags

CONFIG = dfv.Config.of(data_dir="/data/of/this/machine", widths=(4,), s_dim=4, z_dim=6, batch_size=4, num_steps=6)


@pytest.fixture
def run_dir(tmp_path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    Codec(CONFIG, (12, 12, 3), (2,)).save(folder / MODEL_FILE)
    write_flags(folder, CONFIG)
    for name, content in {"training.json": "{}", "images.sha256": "digest"}.items():
        (folder / name).write_text(content)
    return folder


def test_weights_are_rounded_to_half_precision(run_dir, tmp_path):
    ship(run_dir, tmp_path / "shipped")
    before, after = (dfv.load(folder).get_weights() for folder in (run_dir, tmp_path / "shipped"))
    assert any(weights.std() > 0 for weights in before)
    for full, half in zip(before, after, strict=True):
        assert half.dtype == np.float32
        np.testing.assert_array_equal(half, full.astype(np.float16))
    sizes = [(folder / MODEL_FILE).stat().st_size for folder in (run_dir, tmp_path / "shipped")]
    assert sizes[1] < 0.7 * sizes[0]


def test_no_path_is_given_away(run_dir, tmp_path):
    shipped = tmp_path / "shipped"
    ship(run_dir, shipped)
    for config in (dfv.load(shipped).config, read_flags(shipped)):
        assert config.data.data_dir == "" and config.network.s_dim == 4
    assert {path.name for path in shipped.iterdir()} == {MODEL_FILE, "config.flags", "training.json", "images.sha256"}
    assert not any(b"of/this/machine" in path.read_bytes() for path in shipped.iterdir())


def test_weights_outside_of_half_precision_are_refused_and_nothing_is_written(run_dir, tmp_path):
    model = dfv.load(run_dir)
    model.decoder.from_s.kernel.assign(1e6 * np.ones(model.decoder.from_s.kernel.shape))
    model.save(run_dir / MODEL_FILE)
    with pytest.raises(RunError, match=r"decoder/from_s.* half precision cannot hold, up to 1e\+06"):
        write_in_half_precision(run_dir / MODEL_FILE, tmp_path / "half.keras")
    assert not (tmp_path / "half.keras").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run_dir=missing", "--name=one"], "missing is neither a run folder nor a shipped model"),
        (["--run_dir=quickstart", "--name=../one"], "--name: expected letters, digits and underscores"),
        (["--name=one"], "--run_dir"),
    ],
)
def test_mistakes_are_told(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
