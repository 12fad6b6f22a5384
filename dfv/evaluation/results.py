"""The results of one evaluation: the content of results.json and the input of report, comparison and model card."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dfv.config.renamed import current_names
from dfv.evaluation.evaluated_run import EvaluatedRun
from dfv.evaluation.metrics.analogies import Analogies
from dfv.evaluation.metrics.dependence import Dependence
from dfv.evaluation.metrics.diversity import Diversity
from dfv.evaluation.metrics.factors import FactorErrors
from dfv.evaluation.metrics.image_quality import ImageQuality
from dfv.evaluation.metrics.leakage import Leakage
from dfv.evaluation.metrics.oracle_classifier import OracleErrors
from dfv.evaluation.metrics.reconstruction import Reconstruction
from dfv.evaluation.metrics.retrieval import Retrieval
from dfv.evaluation.metrics.swaps import SwapPredictions
from dfv.evaluation.old_results import converted
from dfv.json_records import structured, to_json
from dfv.training.errors import RunError
from dfv.training.run_folder import write_whole

RESULTS_FILE = "results.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Results:
    """All measurements of one evaluation; rates and errors are fractions, undefined values are NaN.

    A measurement is None if it is not defined for the data set: analogies without true images, identity_swaps if
    one identity alone has images to swap, factors and factor_swaps without known factors, diversity without two
    images of an identity. image_quality is None in files of version 0.1.0, which did not measure it.
    """

    run: EvaluatedRun
    reconstruction: Reconstruction
    diversity: Diversity | None
    retrieval: Retrieval
    dependence: Dependence
    analogies: Analogies | None
    leakage: Leakage
    oracle_errors: OracleErrors
    identity_swaps: SwapPredictions | None
    factors: dict[str, FactorErrors] | None
    factor_swaps: SwapPredictions | None
    image_quality: ImageQuality | None = None
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """The text of results.json; null stands for None and NaN."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Returns the record from text that `to_json` of this or an earlier version wrote; else raises ValueError."""
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("expected a JSON object")
        version = content.get("schema_version", 0)
        if version not in (0, SCHEMA_VERSION):
            raise ValueError(f"expected schema version {SCHEMA_VERSION} or none; got {version!r}")
        results = structured(content if version else converted(content), cls)
        run = dataclasses.replace(results.run, flags=current_names(results.run.flags))
        return dataclasses.replace(results, run=run)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a file; raises RunError, which says what to do, if it cannot be read."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(f"{path.parent} has no {path.name}; evaluate the run first.") from error
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read ({error}); evaluate the run again.") from error

    def write(self, path: Path) -> None:
        """Writes the file atomically."""
        write_whole(path, self.to_json().encode())
