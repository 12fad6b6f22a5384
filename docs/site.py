"""`python -m docs.site` builds the documentation site in site/; every warning is an error. Needs the extra `docs`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(destination: Path) -> int:
    """The exit status of Sphinx, which writes HTML pages into `destination`."""
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--conf-dir", str(ROOT / "docs")]
    command = [sys.executable, "-m", "sphinx", *options, "--doctree-dir", str(destination / ".doctrees")]
    return subprocess.run([*command, str(ROOT), str(destination)], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(build(ROOT / "site"))
