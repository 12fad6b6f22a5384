"""A run on two replicas, from flags to its folder."""

import numpy as np

import dfv
from dfv.config.schema import Config
from dfv.training.checkpoints import last_step
from dfv.training.trainer import train
from tests.training.runs import SMALLEST, start


def test_two_replicas_end_with_the_weights_of_one_device(tmp_path):
    flags = SMALLEST | {"num_steps": 3, "generator_optimizer": "sgd", "generator_learning_rate": 0.01}
    # In a process of its own, since logical CPUs are created before TensorFlow computes anything.
    process = start(flags | {"strategy": "mirrored", "num_replicas": 2}, tmp_path / "two")
    alone = train(Config.of(**flags), tmp_path / "one")
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0 and last_step(tmp_path / "two") == 3, output
    together = dfv.load(tmp_path / "two")
    assert together.config.training.strategy == "mirrored"
    for one, other in zip(alone.encoder.weights, together.encoder.weights, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5, err_msg=one.path)
