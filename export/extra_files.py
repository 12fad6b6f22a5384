"""Where an exported model keeps files besides the SavedModel, relative to the folder of a version."""

from pathlib import Path

EXTRA = Path("assets.extra")
EXAMPLES = EXTRA / "examples"
FIT_FILE = EXTRA / "fit.txt"  # DataConfig.fit of the images in the `_bytes` signatures, for the page
