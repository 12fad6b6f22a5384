"""s trained beforehand as the features of a classifier."""

import numpy as np
import tensorflow as tf

from dfv.config.schema import Config
from dfv.model.disentangler import Disentangler
from dfv.training.pretraining import pretrain_s
from tests.model.test_fit import learnable_triplets


def test_pre_training_teaches_s_the_identity_and_freezes_it():
    config = Config.of(widths=(4, 6, 8), s_dim=5, z_dim=6, batch_size=8, seed=11, pretrain_s_steps=15, log_steps=5)
    model = Disentangler(config, (12, 12, 1), (3, 2, 4))
    model.compile()
    start = [variable.numpy() for variable in model.encoder.z_encoder.variables]
    batches = learnable_triplets(15)
    pretrain_s(model, batches, tf.distribute.get_strategy())
    frozen = [variable.numpy() for variable in model.encoder.s_encoder.variables]
    for variable, value in zip(model.encoder.z_encoder.variables, start, strict=True):
        np.testing.assert_array_equal(variable, value)
    batch = next(iter(batches))
    s, identity = model.encode(batch["x1"].numpy()).s, batch["labels1"].numpy()[:, 0]
    centres = np.stack([s[identity == i].mean(0) for i in np.unique(identity)])
    nearest = np.unique(identity)[np.argmin(((s[:, None] - centres) ** 2).sum(-1), axis=1)]
    assert np.mean(nearest == identity) > 0.9
    model.train_step(batch)
    for variable, value in zip(model.encoder.s_encoder.variables, frozen, strict=True):
        np.testing.assert_array_equal(variable, value)
