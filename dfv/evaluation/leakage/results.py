"""The results of a leakage test: the content of leakage.json."""

import json
from dataclasses import dataclass
from typing import Self

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.metrics.dependence import HsicTest
from dfv.evaluation.metrics.factors import FactorError
from dfv.evaluation.metrics.leakage import CodeLeakage
from dfv.json_records import structured, to_json
from dfv.provenance import Provenance

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class LeakageResults:
    """The results of one test; rates and errors are fractions.

    code_dim: D. num_codes: of each split that probes used, after sampling.
    num_classes: of each column of the labels.
    num_groups: of the test codes; None without groups.
    probe_seeds: number of times that each probe was trained.
    leakage: of the probes; the labels are named "0", "1", ... if there are several.
    dependence: HSIC of the test codes and their groups or, without groups, their labels.
    factors: name -> error of the network that predicts the factor from the code.
    provenance: of the test.
    """

    code_dim: int
    num_codes: BySplit[int]
    num_classes: tuple[int, ...]
    num_groups: int | None
    probe_seeds: int
    leakage: CodeLeakage
    dependence: HsicTest
    factors: dict[str, FactorError]
    provenance: Provenance
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """The text of leakage.json; null stands for None and NaN."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Returns the record from text that `to_json` wrote; else raises ValueError."""
        content = json.loads(text)
        version = content.get("schema_version") if isinstance(content, dict) else None
        if version != SCHEMA_VERSION:
            raise ValueError(f"expected a JSON object of schema version {SCHEMA_VERSION}; got {version!r}")
        return structured(content, cls)
