"""Errors of known factors predicted from codes that have them, and that have not."""

from dfv.evaluation.encoded_images import encode_splits
from dfv.evaluation.evaluation_splits import has_unseen_identities
from dfv.evaluation.labels import factor_labels
from dfv.evaluation.metrics.factors import measure_factors


def test_factors_are_predicted_from_z_and_not_from_a_constant_z(codec, make_splits, tiny):
    splits = make_splits()
    codes = encode_splits(codec(), splits, tiny)
    found = measure_factors(
        codes, factor_labels(splits), tiny, num_seeds=1, unseen_identities=has_unseen_identities(splits)
    )
    assert found["height"].z_mean.error < 0.05 and found["height"].s.error > 0.5
    for part in (codes.train, codes.validation, codes.test):
        part.z_mean[:] = 0.5
    found = measure_factors(codes, factor_labels(splits), tiny, num_seeds=1, unseen_identities=False)
    assert found["height"].z_mean.error > 0.5
    assert not found["height"].z_mean.below_baseline.is_significant()
