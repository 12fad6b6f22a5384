"""The leakage test for codes of any model, given as arrays: can labels be predicted from them.

`measure` is a function of arrays, `python -m dfv.evaluation.leakage codes.npz` a program. Both give codes to the probes
of `dfv.evaluation`. TensorFlow is imported when the probes are trained.
"""

from typing import TYPE_CHECKING

from dfv.lazy_attributes import lazy_attributes

if TYPE_CHECKING:
    from dfv.evaluation.leakage.codes_file import read
    from dfv.evaluation.leakage.division import divide
    from dfv.evaluation.leakage.labelled_codes import LabelledCodes
    from dfv.evaluation.leakage.measurement import measure
    from dfv.evaluation.leakage.results import LeakageResults

__all__ = ["LabelledCodes", "LeakageResults", "divide", "measure", "read"]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "LabelledCodes": "dfv.evaluation.leakage.labelled_codes",
        "LeakageResults": "dfv.evaluation.leakage.results",
        "divide": "dfv.evaluation.leakage.division",
        "measure": "dfv.evaluation.leakage.measurement",
        "read": "dfv.evaluation.leakage.codes_file",
    },
)
