"""The exported step draws the run's own triplets and computes what TensorFlow's compiled step does."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.accelerator import adopt, export
from dfv.config.schema import Config
from dfv.data.dataset import ImageSet, Splits
from dfv.data.pipeline import triplets
from dfv.training.errors import RunError
from dfv.training.model_files import load

STEPS = 3


@pytest.fixture
def config() -> Config:
    return Config.of(
        dataset="mnist",
        widths=(4, 8, 8),
        adversary_widths=(4, 8, 8),
        s_dim=4,
        z_dim=6,
        batch_size=8,
        num_steps=STEPS,
        identity_mmd_weight=1.0,
        latent_adversary_weight=0.01,
        shared_variance=True,
    )


@pytest.fixture
def train() -> ImageSet:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 12, 12, 1), np.uint8)
    return ImageSet(images, random.permutation(np.r_[np.arange(60) % 7, 7])[:60].astype(np.int32))


@pytest.mark.parametrize("x2_any_identity", [False, True])
def test_triplets_are_those_of_the_run(config: Config, train: ImageSet, x2_any_identity: bool) -> None:
    config = config.replace(x2_any_identity=x2_any_identity)
    batches = iter(triplets(train, batch_size=8, seed=0, x2_any_identity=x2_any_identity))
    arrays = {name: tf.constant(value) for name, value in export.training_data(train, config).items()}
    for step in range(5):
        drawn = export.triplets_of_step(config, tf.constant(step, tf.int64), arrays)
        tf.nest.map_structure(np.testing.assert_array_equal, drawn, next(batches))


@pytest.mark.slow  # XLA compiles the step twice
def test_program_computes_tensorflows_compiled_step_and_its_weights_come_back(config, train, tmp_path, monkeypatch):
    pytest.importorskip("jax", reason="JAX runs the exported step; it comes with the extra `benchmark`")
    from benchmarks.accelerator import run

    sizes = (int(train.identity.max()) + 1,)
    export.export(config, train, sizes, tmp_path / "program")
    program = run.Program(tmp_path / "program", tmp_path / "program")
    start = [np.array(value) for value in program.state]
    model, variables, step = export.compiled_step(config, train, sizes)
    for place, value in zip(program.about["state"], start, strict=True):
        variables[place].assign(value)
    arrays = {name: tf.constant(value) for name, value in export.training_data(train, config).items()}
    for _ in range(STEPS):
        step(arrays)
    state = program.steps(STEPS)(program.data, program.state)
    assert model.generator_optimizer.iterations.numpy() == STEPS
    for place, value in zip(program.about["state"], state, strict=True):
        np.testing.assert_allclose(value, variables[place], atol=2e-5, rtol=1e-4, err_msg=variables[place].name)
    changed = [np.abs(np.asarray(new) - old).max() for new, old in zip(state, start, strict=True)]
    assert np.mean(np.array(changed) > 0) > 0.9
    monkeypatch.setattr(run, "PIECE_BYTES", 5_000)
    run.save(
        {place: np.asarray(state[row]) for place, row in program.about["weights"].items()}, tmp_path / "w", "float32"
    )
    assert (tmp_path / "w.1.npz").exists()
    adopt.adopt(config, adopt.read_weights(tmp_path / "w"), Splits(train, train, train), tmp_path / "run")
    codec = load(tmp_path / "run")
    for adopted, trained in zip(export.trained(codec), export.trained(model), strict=True):
        np.testing.assert_allclose(adopted, trained, atol=2e-5, rtol=1e-4, err_msg=trained.path)


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(RunError, match="w.0.npz, as benchmarks/accelerator/run.py writes it; there is none"):
        adopt.read_weights(tmp_path / "w")
