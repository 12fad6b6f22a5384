"""The Python examples of README.md and docs/ run as they are written, only for fewer steps."""

import re
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import dfv
from dfv.apply.tables import write_npz

ROOT = Path(__file__).parent.parent
GUIDES = sorted(path.name for path in (ROOT / "docs").glob("*.md") if "```python" in path.read_text(encoding="utf-8"))


def examples(path: Path) -> list[str]:
    """The Python code blocks of a Markdown file, in order."""
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def run(code: str, names: dict) -> None:
    exec(compile(code, "example", "exec"), names)


def test_readme_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example, use = examples(ROOT / "README.md")
    assert len((example + use).strip().splitlines()) <= 20
    shorter = example.replace("steps_per_epoch=100", "steps_per_epoch=2").replace("epochs=3", "epochs=1")
    assert "steps_per_epoch=2" in shorter and "epochs=1" in shorter
    names: dict = {}
    run(shorter, names)
    assert names["swapped"].shape == (4, 32, 32, 3) and names["swapped"].dtype == np.uint8
    assert (tmp_path / "pictures" / "swap_grid_0001.png").exists()
    again = keras.models.load_model(tmp_path / "mine.keras")
    images = names["splits"].test.images
    np.testing.assert_array_equal(again.swap(images[:4], images[4:8]), names["swapped"])

    calls = []
    monkeypatch.setattr(dfv, "evaluate", lambda *given: calls.append(given) or {})
    monkeypatch.setattr("export.export_model", lambda *given, **named: calls.append((*given, named)))
    run(use, names)  # evaluation and export have tests of their own; here their arguments are checked
    assert calls[0] == (names["model"], names["splits"], names["model"].config, "results")
    assert calls[1] == (names["model"], "models/mine", {"results": {}})


@pytest.mark.parametrize("name", GUIDES)
def test_guide_examples_run(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    codes = {code: np.zeros((1, 3), np.float32) for code in ("s", "z_mean", "z_log_var")}
    with (tmp_path / "codes.npz").open("wb") as file:  # what the guide to files has written before
        write_npz(file, SimpleNamespace(files=SimpleNamespace(names=["anna.jpg"]), **codes))
    names: dict = {}
    for example in examples(ROOT / "docs" / name):
        run(example, names)
