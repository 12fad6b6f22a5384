"""`import dfv` and `import export` give what programs need, and import TensorFlow only when it is used."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dfv
import export
from dfv.main import main

ROOT = Path(__file__).parents[1]
CHEAP = {"dfv": ["Config", "ConfigError", "DataError", "RunError", "__version__"]}
CHEAP["export"] = ["ExportError", "RestClient", "ServingError"]


def test_everything_public_is_there_and_listed():
    for package in (dfv, export):
        assert set(package.__all__) <= set(dir(package))
        assert all(getattr(package, name) is not None for name in package.__all__)
    assert dfv.load_data is __import__("dfv.data").data.load
    assert dfv.fit_latent.__module__.startswith("dfv.model.latent")


def test_an_unknown_name_is_an_attribute_error():
    for package in (dfv, export):
        with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'nothing'"):
            package.nothing  # noqa: B018


@pytest.mark.parametrize("package", CHEAP)
def test_tensorflow_is_imported_only_when_needed(package):
    names = ", ".join(f"{package}.{name}" for name in CHEAP[package])
    script = (
        f"import sys, {package}; {names}; dir({package}); print(sorted({{'tensorflow', 'keras'}} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("package", [dfv, export], ids=lambda package: package.__name__)
def test_type_checkers_see_every_name(package):
    source = Path(package.__file__).read_text().split("__all__")[0]
    assert all(re.search(rf"\b{name}\b", source) for name in package.__all__ if name != "ExportError")


def test_the_version_stands_in_one_place_and_the_citation_has_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"] and "version" not in (ROOT / "setup.py").read_text()
    assert importlib.metadata.version("dfv") == dfv.__version__
    assert f"\nversion: {dfv.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_output_that_is_closed_or_full_is_no_traceback(capfd, monkeypatch):
    with Path("/dev/full").open("w") as output, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", output)
        assert main(["--help"]) == 1
    assert capfd.readouterr().err == "dfv: standard output cannot be written: No space left on device.\n"
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["--version"]) == 0


@pytest.mark.parametrize("script", ["dfv", "dfv-apply", "dfv-compare", "dfv-demo", "dfv-export", "dfv-leakage"])
def test_each_console_script_is_a_program(script, capsys):
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name=script)
    assert entry.load()(["--version"]) == 0
    assert capsys.readouterr().out == f"dfv {dfv.__version__}\n"
