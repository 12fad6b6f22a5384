"""Division of codes into splits."""

import numpy as np

from dfv.data.dataset import DataError
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.leakage.checks import faults_of_arrays, raise_faults
from dfv.evaluation.leakage.labelled_codes import LabelledCodes
from dfv.evaluation.sampling import rows_within_identities


def divide(whole: LabelledCodes, seed: int = 0) -> BySplit[LabelledCodes]:
    """Divides codes at random within each label: 60 % become `train`, 20 % `validation`, 20 % `test`.

    For codes of images that the model was not trained on. Raises DataError for arrays of wrong shapes or types, and for
    codes with groups, of which each must be in one split.
    """
    raise_faults(faults_of_arrays(whole))
    if whole.groups is not None:
        raise DataError("expected codes with groups in three splits, with each group in one of them; got them in one.")
    _, identity = np.unique(whole.label_columns, axis=0, return_inverse=True)
    return BySplit(*map(whole.select, rows_within_identities(identity.ravel(), seed)))
