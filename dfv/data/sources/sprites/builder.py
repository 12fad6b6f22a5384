"""Sprites as a data set of TensorFlow Datasets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from dfv.data.sources.published_digests import warn_if_changed
from dfv.data.sources.sprites import reader


class Sprites(tfds.core.GeneratorBasedBuilder):
    """672 characters in the published splits of 500, 72 and 100, each with 172 frames of 20 animations."""

    name = "sprites"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "The published files and splits, without the 21st animation."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = reader.EXPECTED.format(manual="manual_dir")

    def _info(self) -> tfds.core.DatasetInfo:
        attributes = {name: tfds.features.ClassLabel(num_classes=size) for name, size in reader.ATTRIBUTES.items()}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(reader.SIZE, reader.SIZE, 3)),
                    "character": tfds.features.Scalar(np.int64),
                    "animation": tfds.features.ClassLabel(names=reader.ANIMATIONS),
                    "frame": tfds.features.Scalar(np.int64),
                    **attributes,
                }
            ),
            supervised_keys=("image", "character"),
            disable_shuffling=True,
            homepage="https://papers.nips.cc/paper/5845-deep-visual-analogy-making",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[Any]]:
        folder = reader.find(Path(dl_manager.manual_dir))
        splits = reader.read_splits(folder)
        return {split: self._generate_examples(folder, numbers) for split, numbers in splits.items()}

    def _generate_examples(self, folder: Path, numbers: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        place = [(animation, frame) for animation, count in enumerate(reader.NUM_FRAMES) for frame in range(count)]
        digests = {}
        for number in numbers:
            character = reader.read_character(folder, number)
            digests[f"sprites_{number}.mat"] = character.digest
            labels = dict(zip(reader.ATTRIBUTES, character.attributes.tolist(), strict=True))
            for pose, (animation, frame) in enumerate(place):
                example = {"image": character.frames[pose], "character": number, "animation": animation, "frame": frame}
                yield number * len(place) + pose, {**example, **labels}
        warn_if_changed(digests, Path(__file__).with_name("digests.tsv"))
