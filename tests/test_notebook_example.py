"""The README's notebook example runs as it is written, only for fewer steps."""

import re
from pathlib import Path

import keras
import numpy as np

README = Path(__file__).parent.parent / "README.md"


def test_the_notebook_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    section = README.read_text().split("## In a notebook")[1]
    example = re.search(r"```python\n(.*?)```", section, re.DOTALL).group(1)
    assert len(example.strip().splitlines()) <= 12
    shorter = example.replace("steps_per_epoch=100", "steps_per_epoch=2").replace("epochs=3", "epochs=1")
    assert "steps_per_epoch=2" in shorter and "epochs=1" in shorter
    names: dict = {}
    exec(compile(shorter, str(README), "exec"), names)
    assert names["swapped"].shape == (4, 32, 32, 3) and names["swapped"].dtype == np.uint8
    assert (tmp_path / "pictures" / "swap_grid_0001.png").exists()
    again = keras.models.load_model(tmp_path / "mine.keras")
    images = names["splits"].test.images
    np.testing.assert_array_equal(again.swap(images[:4], images[4:8]), names["swapped"])
