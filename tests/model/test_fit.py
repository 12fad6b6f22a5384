"""`fit` as Keras users know it, on one device and on two replicas; precision and XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dfv.data.pipeline import without_tuning

NUM_IDENTITIES, BATCH = 3, 8
NO_ADVERSARY = {"swap_other_weight": 0.0, "prior_sample_weight": 0.0, "identity_mmd_weight": 0.5}


def learnable_triplets(num_batches, seed=0):
    """s is the column of a bright bar, z the brightness of the ground."""
    random = np.random.default_rng(seed)
    identity1 = random.integers(0, NUM_IDENTITIES, num_batches * BATCH).astype(np.int32)
    identity2 = (identity1 + random.integers(1, NUM_IDENTITIES, num_batches * BATCH).astype(np.int32)) % NUM_IDENTITIES

    def draw(identity):
        images = np.ones((len(identity), 12, 12, 1)) * random.uniform(0, 160, (len(identity), 1, 1, 1))
        for image, column in zip(images, identity, strict=True):
            image[:, 4 * column : 4 * column + 3] = 255
        return images.astype(np.uint8)

    def labels(identity):
        return np.stack([identity, identity % 2, identity % 4], 1)

    columns = {"x1": draw(identity1), "x1_same": draw(identity1), "x2": draw(identity2)}
    columns |= {"labels1": labels(identity1), "labels2": labels(identity2)}
    return without_tuning(tf.data.Dataset.from_tensor_slices(columns).batch(BATCH, drop_remainder=True))


EPOCHS, STEPS = 2, 12


def fit(model, **options):
    return model.fit(
        learnable_triplets(STEPS).repeat(),
        validation_data=learnable_triplets(2, seed=1),
        epochs=EPOCHS,
        steps_per_epoch=STEPS,
        verbose=0,
        **options,
    ).history


def test_fit_learns_and_gives_every_term(tiny_model):
    model = tiny_model(generator_learning_rate=1.0)
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: [0.02, 0.01][epoch])
    history = fit(model, callbacks=[rates])
    validation = {"val_loss", "val_reconstruction", "val_swap_same", "val_kl"}
    assert set(history) == {*model.means.names, *validation, "learning_rate"}
    assert all(len(values) == EPOCHS and np.all(np.isfinite(values)) for values in history.values())
    for term in ("reconstruction", "swap_same"):
        assert history[term][-1] < 0.7 * history[term][0]
    assert int(model.generator_optimizer.iterations.numpy()) == EPOCHS * STEPS
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(0.01)
    np.testing.assert_array_equal(model.first_non_finite.found, [-1, -1])


def test_fit_on_two_replicas_gives_the_history_of_one_and_a_model_for_one(mirrored, tiny_model, tmp_path):
    # Without the adversary, which takes most of the time to trace.
    flags = NO_ADVERSARY | {"generator_learning_rate": 0.01}
    alone = fit(tiny_model(**flags))
    with mirrored.scope():
        model = tiny_model(**flags)
    shared = fit(model)
    assert set(shared) == set(alone) and shared["reconstruction"][-1] < 0.7 * shared["reconstruction"][0]
    for term, values in alone.items():
        assert shared[term] == pytest.approx(values, rel=1e-2), term
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    for variable, saved in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(variable, saved)


def test_evaluate_is_the_mean_error_on_the_batches_and_changes_nothing(paper):
    model, batches = paper.at_start().model, learnable_triplets(3)
    before = [variable.numpy() for variable in model.variables]
    results = model.evaluate(batches, return_dict=True, verbose=0)
    errors, kls = [], []
    for batch in batches:
        x1, x1_same = (tf.cast(batch[name], tf.float32) / 127.5 - 1 for name in ("x1", "x1_same"))
        codes = model.encoder(x1)
        own, same = model.decoder(codes.z.mean, codes.s), model.decoder(codes.z.mean, model.encoder(x1_same).s)
        errors.append([np.mean((own - x1) ** 2), np.mean((same - x1) ** 2)])
        x2 = tf.cast(batch["x2"], tf.float32) / 127.5 - 1
        mean, log_var = model.encoder(tf.concat([x1, x1_same, x2], 0)).z
        kls.append(np.mean(np.sum(0.5 * (mean**2 + np.exp(log_var) - log_var - 1), 1)) / 144)
    assert (results["reconstruction"], results["swap_same"]) == pytest.approx(tuple(np.mean(errors, 0)), rel=1e-4)
    assert results["kl"] == pytest.approx(np.mean(kls), rel=1e-3)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_evaluate_returns_its_values_in_the_order_of_metrics_names(paper):
    model = paper.at_start().model
    values = model.evaluate(learnable_triplets(2), verbose=0)
    by_name = model.evaluate(learnable_triplets(2), verbose=0, return_dict=True)
    assert model.metrics_names[0] == "loss" and len(values) == len(by_name) == 4
    for name, value in zip(model.metrics_names, values, strict=True):
        assert value == pytest.approx(by_name[name]), name


def test_loss_is_the_sum_of_the_generators_terms_by_their_weights(everything, triplet_batch):
    model = everything.at_start().model
    terms = {name: float(value) for name, value in everything.step(triplet_batch()).items()}
    assert {"latent_adversary", "identity_mmd", "mean_kernel"} <= set(model.active.weights)
    expected = sum(weight * terms[name] for name, weight in model.active.weights.items())
    assert terms["loss"] == pytest.approx(expected, rel=1e-4)
    validation = model.evaluate(learnable_triplets(1), verbose=0, return_dict=True)
    weights = {name: model.active.weights[name] for name in ("reconstruction", "swap_same", "kl")}
    expected = sum(weight * validation[name] for name, weight in weights.items())
    assert validation["loss"] == pytest.approx(expected, rel=1e-4)


def test_means_are_those_of_the_steps_since_the_last_reset(paper, triplet_batch):
    means = paper.at_start().model.means
    steps = []
    for seed in range(3):
        means.reset_state()
        steps.append(float(paper.step(triplet_batch(seed=seed))["kl"]))
    paper.at_start()
    for seed in range(3):
        result = paper.step(triplet_batch(seed=seed))
    assert float(result["kl"]) == pytest.approx(np.mean(steps), rel=1e-5)


def test_mixed_precision_keeps_variables_and_losses_in_float32(tiny_model, triplet_batch, additions):
    model = tiny_model(**additions, mixed_precision=True)
    terms = model.train_step(triplet_batch())
    kinds = {str(tf.as_dtype(variable.dtype).name) for variable in model.variables}
    assert kinds == {"float32", "int32", "int64"}  # labels kept, and the step that was not finite
    assert all(term.dtype == tf.float32 and np.isfinite(term) for term in terms.values())
    assert model.encoder.s_head.compute_dtype == "bfloat16" and model.decoder.from_z.compute_dtype == "bfloat16"
    single = tiny_model(**additions).train_step(triplet_batch())
    for name, term in single.items():
        assert float(terms[name]) == pytest.approx(float(term), rel=0.05, abs=0.02), name
    assert float(terms["reconstruction"]) != float(single["reconstruction"])


@pytest.mark.parametrize("mode", ["no adversary", pytest.param("additions", marks=pytest.mark.slow)])
def test_step_compiles_with_xla(mode, tiny_model, triplet_batch, additions):
    flags = additions if mode == "additions" else NO_ADVERSARY
    model = tiny_model(**flags, widths=(4,), jit_compile=True)
    assert model.jit_compile
    before = [variable.numpy() for variable in model.trainable_variables]
    terms = tf.function(model.train_step, autograph=False, jit_compile=True)(triplet_batch())
    assert all(np.isfinite(term) for term in terms.values())
    changed = [np.any(variable != value) for variable, value in zip(model.trainable_variables, before, strict=True)]
    assert all(changed)
