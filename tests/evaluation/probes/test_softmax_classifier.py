"""Training from inputs that are loaded in parts."""

import numpy as np

from dfv.evaluation.probes.softmax_classifier import SoftmaxClassifier
from tests.evaluation.probes.synthetic_codes import CLASSES, DIM, data_of, in_scale


def test_inputs_are_loaded_in_parts_with_the_same_result(monkeypatch):
    data, loaded = data_of(in_scale), []

    class Watched(np.ndarray):
        def __getitem__(self, rows):
            loaded.append(len(rows))
            return np.asarray(self)[rows]

    def weights():
        classifier = SoftmaxClassifier([], (DIM,), (CLASSES,))
        inputs = data.codes.train.view(Watched), data.labels.train
        classifier.fit_best_epoch(
            inputs, (data.codes.validation, data.labels.validation), seed=0, max_epochs=2, patience=2
        )
        return classifier.get_weights()

    whole = weights()
    monkeypatch.setattr("dfv.evaluation.probes.softmax_classifier.MAX_LOADED_NUMBERS", 128 * DIM)
    in_parts = weights()
    assert loaded == [512, 512] + 8 * [128]
    assert all(np.array_equal(a, b) for a, b in zip(whole, in_parts, strict=True))
