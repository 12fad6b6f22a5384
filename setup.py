"""Packaging: dfv and export, with the run files and the small trained models inside dfv."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
# Read as text: importing dfv would need its dependencies.
VERSION = re.findall(r'^__version__ = "(.+?)"', (HERE / "dfv" / "__init__.py").read_text(encoding="utf-8"), re.M)[0]
SERVING = ["tensorflow-serving-api>=2.21,<2.22"]
TEST = [
    "pytest>=8,<10",
    "hypothesis>=6,<7",
    "ruff>=0.8,<1",
    "mypy>=1.13,<3",
    "selenium>=4.25,<5",
    "pytest-xdist>=3.6,<4",
    *SERVING,
]


class BuildPy(build_py):
    """Puts configs/*.flags into the wheel as dfv/configs, where dfv.config.flag_files looks for them."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib, "dfv", "configs")
            folder.mkdir(parents=True, exist_ok=True)
            run_files = list((HERE / "configs").glob("*.flags"))
            if not run_files:
                raise SystemExit("setup.py: expected configs/*.flags beside it; build from a whole checkout.")
            for path in run_files:
                shutil.copy(path, folder)


setup(
    name="dfv",
    version=VERSION,
    description="Disentangles what the identity of an image specifies from all the rest, with Keras 3 on TensorFlow",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["dfv*", "export*"]),
    # So that an editable install is a path, which a folder named dfv, such as a clone, cannot hide.
    package_dir={"": "."},
    package_data={
        "dfv": [
            "pretrained/*/*",
            "data/sources/*/*.md",
            "data/sources/*/*.bib",
            "data/sources/*/*.tsv",
            "evaluation/report/templates/*",
            "py.typed",
        ],
        "export": ["**/*.md", "**/*.txt"],
    },
    cmdclass={"build_py": BuildPy},
    install_requires=[
        "absl-py>=2.1,<3",
        "cattrs>=24.1,<27",
        "h5py>=3.11,<4",
        "jinja2>=3.1,<4",
        "importlib_resources>=6,<8",
        "keras>=3.15,<3.16",
        "matplotlib>=3.9,<4",
        "numpy>=2,<3",
        "pillow>=11,<14",
        "scikit-learn>=1.5,<2",
        "scipy>=1.14,<2",
        "tensorboard>=2.20,<2.22",
        "tensorflow>=2.21,<2.22",
        "tensorflow-datasets>=4.9.10,<5",
        "tqdm>=4.66,<5",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "serving": SERVING,
        "demo": ["gradio>=6.31,<7"],
        "benchmark": ["torch>=2.9,<3", "jax>=0.10.2,<0.12"],
        "docs": ["sphinx>=8.2,<10", "myst-parser>=4,<6"],
        "test": TEST,
    },
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Operating System :: POSIX :: Linux",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
