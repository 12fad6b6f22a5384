"""The files next to a model's versions: two configurations of TensorFlow Serving, and a README."""

import re
from pathlib import Path
from string import Template

from dfv.model.codec import Codec
from dfv.training.run_folder import write_whole
from export.serving.warmup import BATCH_SIZES
from export.signatures import max_rows

MODELS_FILE, BATCHING_FILE, README_FILE = "models.config", "batching.config", "README.md"

_MODELS = """# Versions that TensorFlow Serving loads, and their labels. A new export is labelled `canary`; `stable`
# keeps its version. To promote a version, write its number after `stable`. base_path is inside the server's container.
model_config_list {
  config {
    name: "$name"
    base_path: "/models/$name"
    model_platform: "tensorflow"
    model_version_policy { specific { $versions } }
    version_labels { key: "stable" value: $stable }
    version_labels { key: "canary" value: $canary }
  }
}
"""

_BATCHING = """# Requests that arrive at about the same time run as one batch, padded to the next of these sizes.
max_batch_size { value: $largest }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 4 }
$allowed
"""


def versions(place: Path) -> list[int]:
    """Returns the numbers of the versions in a model's folder, in order."""
    return sorted(int(path.name) for path in place.glob("*") if path.name.isdecimal() and path.is_dir())


def write(place: Path, newest: int, model: Codec, float_images: bool) -> None:
    """Writes models.config, batching.config and README.md; the label `stable` keeps its version."""
    stable = stable_version(place) or newest
    listed = " ".join(f"versions: {version}" for version in sorted({stable, newest}))
    allowed = "\n".join(f"allowed_batch_sizes: {size}" for size in BATCH_SIZES)
    _write(place / BATCHING_FILE, _BATCHING, largest=BATCH_SIZES[-1], allowed=allowed)
    dtype, pixels = ("float32", "from 0 to 1") if float_images else ("uint8", "from 0 to 255")
    shape, rows = ", ".join(map(str, model.image_shape)), max_rows(model.image_shape)
    values = {"dtype": dtype, "pixels": pixels, "shape": shape, "rows": rows, "largest": BATCH_SIZES[-1]}
    template = Path(__file__).with_name("readme_template.md").read_text(encoding="utf-8")
    _write(place / README_FILE, template, name=place.name, version=newest, **values)
    # Last, since servers load what it lists.
    _write(place / MODELS_FILE, _MODELS, name=place.name, versions=listed, stable=stable, canary=newest)


def stable_version(place: Path) -> int | None:
    """Returns the version that models.config labels `stable`; None if there is none."""
    path = place / MODELS_FILE
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    found = re.search(r'key:\s*"stable"\s*value:\s*(\d+)', text)
    version = int(found[1]) if found else None
    return version if version in versions(place) else None


def _write(path: Path, template: str, **values: object) -> None:
    write_whole(path, Template(template).substitute(values).encode())
