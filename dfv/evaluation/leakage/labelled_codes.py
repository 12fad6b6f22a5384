"""Codes of any model with their labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from dfv.data.dataset import as_array


@dataclass(frozen=True)
class LabelledCodes:
    """The codes of N images, as arrays or what `numpy.asarray` converts.

    codes: [N, D] floats.
    labels: [N] or [N, L] integers or strings, what the probes predict: the identity, or L attributes.
    groups: [N] integers or strings; images of a group are dependent, and each group is in one split. For labels that
      many identities share, such as attributes of identities that are not in training, the identity.
    factors: name -> [N] integers or strings (classes) or finite floats (continuous): known factors that vary within an
      identity, such as the pose.
    """

    codes: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None
    factors: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arrays = {
            "codes": as_array("codes", self.codes),
            "labels": as_array("labels", self.labels),
            "groups": None if self.groups is None else as_array("groups", self.groups),
            "factors": {name: as_array(name, values) for name, values in self.factors.items()},
        }
        for name, value in arrays.items():
            object.__setattr__(self, name, value)  # past the freezing of records

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def label_columns(self) -> np.ndarray:
        """The labels as [N, L]."""
        return self.labels.reshape(len(self), -1)

    def select(self, rows: np.ndarray) -> "LabelledCodes":
        """The codes of these rows [n]."""
        return LabelledCodes(
            self.codes[rows],
            self.labels[rows],
            None if self.groups is None else self.groups[rows],
            {name: values[rows] for name, values in self.factors.items()},
        )
