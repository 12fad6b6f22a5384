"""The lines of the README beside a model, run as they stand; only the server's addresses are the tests' own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import servers
from PIL import Image

from dfv.data.image_operations import encode_png


@pytest.fixture(scope="module")
def readme(exported) -> Iterator[str]:
    with servers.stand_in_server(exported.parent) as server:
        text = (exported.parent / "README.md").read_text()
        yield text.replace("http://127.0.0.1:8501", server.rest)


def blocks(text: str) -> list[str]:
    """Its indented commands."""
    return [block.replace("\n    ", "\n").strip() for block in re.findall(r"(?:^    .*\n)+", text, re.M)]


def run(command: list[str], folder: Path) -> str:
    project = str(Path(__file__).parents[2])
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": programs, "PYTHONPATH": project}
    finished = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_its_curl_lines(readme, exported, model, cases, tmp_path):
    images = cases[0]["swap/image_s"][:2]
    for name, image in zip(("one", "two"), images, strict=True):
        (tmp_path / f"{name}.png").write_bytes(encode_png(image))
    status, encoded, swapped = (run(["bash", "-c", block], tmp_path) for block in blocks(readme) if "curl" in block)
    assert "AVAILABLE" in status and '"z_log_var"' in encoded and swapped == ""
    received = np.asarray(Image.open(tmp_path / "swap.png"))[..., None].astype(int)
    assert np.abs(received - model.swap(images[:1], images[1:])[0]).max() <= 1


def test_its_python_lines(readme, exported, monkeypatch, capsys):
    monkeypatch.chdir(exported.parents[1])
    for script in re.findall(r"```python\n(.*?)```", readme, re.S):
        exec(compile(script, "README.md", "exec"), {})
    assert capsys.readouterr().out == "(2, 5)\n(2, 5) (2, 3)\n"


def test_its_command_line(readme, exported):
    line = next(block for block in blocks(readme) if block.startswith("saved_model_cli"))
    assert "inputs['image_z']" in run(["bash", "-c", line], exported.parents[1])


def test_its_docker_line_names_files_that_are_there(readme, exported):
    line = next(block for block in blocks(readme) if block.startswith("docker"))
    for path in re.findall(r"=/models/(\S+)", line):
        assert (exported.parents[1] / path).is_file()


def test_the_readme_of_a_model_names_it(exported):
    text = (exported.parent / "README.md").read_text()
    assert "$" not in text.replace("$PWD", "").replace("$(base64", "")
    assert 'call_endpoint="encode"' in text and "/v1/models/tiny/labels/stable:predict" in text
