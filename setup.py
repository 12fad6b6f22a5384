"""Puts the run files into the wheel; everything else about the package is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildPy(build_py):
    """Copies configs/*.flags to dfv/configs in the wheel, where dfv.config.flag_files looks for them."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib, "dfv", "configs")
            folder.mkdir(parents=True, exist_ok=True)
            run_files = list((Path(__file__).parent / "configs").glob("*.flags"))
            if not run_files:
                raise SystemExit("setup.py: expected configs/*.flags next to it; build from a whole checkout.")
            for path in run_files:
                shutil.copy(path, folder)


setup(cmdclass={"build_py": BuildPy})
