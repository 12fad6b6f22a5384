"""Example images that are exported with a model: of toy_sprites only, since other data must not be redistributed."""

import dataclasses
from pathlib import Path

from dfv import data
from dfv.config.schema import DataConfig
from dfv.data.image_operations import encode_png
from dfv.model.image_grids import one_of_each
from export.extra_files import EXAMPLES

NUMBER, CHARACTERS = 8, 16


def write(version: Path, config: DataConfig) -> None:
    """Writes PNG files of test characters to `assets.extra/examples`; only for toy_sprites."""
    if config.dataset != "toy_sprites":
        return
    few = dataclasses.replace(config, toy_characters=CHARACTERS, memory_limit_mb=1024)
    folder = version / EXAMPLES
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(one_of_each(data.load(few).test, NUMBER, seed=0), start=1):
        (folder / f"{number}.png").write_bytes(encode_png(image))
