"""Extended Yale B as a data set of TensorFlow Datasets."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from dfv.data.sources.published_digests import warn_if_changed
from dfv.data.sources.yaleb import reader


class YaleB(tfds.core.GeneratorBasedBuilder):
    """28 subjects, about 64 illuminations each, in one split, `train`; dfv.data.sources.yaleb divides it."""

    name = "yaleb"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "The 28 subjects yaleB11 to yaleB39."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = reader.EXPECTED.format(manual="manual_dir")

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(None, None, 1)),
                    "subject": tfds.features.ClassLabel(names=reader.SUBJECTS),
                    "pose": tfds.features.ClassLabel(num_classes=9),
                    "azimuth": tfds.features.Scalar(np.float32),
                    "elevation": tfds.features.Scalar(np.float32),
                    "name": tfds.features.Text(),
                }
            ),
            supervised_keys=("image", "subject"),
            disable_shuffling=True,
            homepage="http://vision.ucsd.edu/~leekc/ExtYaleDatabase/ExtYaleB.html",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[Any]]:
        return {"train": self._generate_examples(Path(dl_manager.manual_dir))}

    def _generate_examples(self, manual_dir: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        photographs = list(reader.read(manual_dir))
        if photographs[0].image.shape == reader.CROPPED:
            warn_if_changed(reader.digests(photographs), Path(__file__).with_name("digests.tsv"))
        for photograph in photographs:
            example = dataclasses.asdict(photograph)
            yield photograph.name, {**example, "image": photograph.image[..., None]}
