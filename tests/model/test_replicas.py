"""One replica against two with the same global batch: the same noise, statistics, gate and update."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dfv.data.pipeline import without_tuning
from dfv.model import replicas
from dfv.model.losses.adversarial import AdversaryLogits
from dfv.model.triplet_batch import Noise, read
from dfv.training.checkpoints import all_variables

STEPS, GLOBAL_BATCH = 3, 8


def batches(triplet_batch):
    return [triplet_batch(GLOBAL_BATCH, seed=step) for step in range(STEPS)]


def distributed(strategy, global_batches):
    """Each replica's rows of every global batch, in order."""

    def of_pipeline(context):
        rows = {name: np.concatenate([batch[name] for batch in global_batches]) for name in global_batches[0]}
        local = GLOBAL_BATCH // context.num_replicas_in_sync
        return without_tuning(tf.data.Dataset.from_tensor_slices(rows).batch(local, drop_remainder=True))

    return iter(strategy.distribute_datasets_from_function(of_pipeline))


def on_replicas(strategy, function, global_batch):
    """What `function` of its share of the batch gives on each replica."""
    run = tf.function(lambda batch: strategy.run(function, args=(batch,)), autograph=False)
    results = run(next(distributed(strategy, [global_batch])))
    return tf.nest.map_structure(
        lambda value: [part.numpy() for part in strategy.experimental_local_results(value)], results
    )


def noise_of(batch):
    noise = Noise(5, tf.constant(9, tf.int64), read(batch), z_dim=3)
    posterior = tf.reshape(noise.posterior(3), (3, -1, 3))
    parts = {"posterior": posterior, "augmentation": noise.augmentation(2, 3)}
    return parts | {"prior": noise.prior(), "of_all": noise.prior_of_global_batch()}


def test_noise_is_a_function_of_seed_step_and_position(mirrored, triplet_batch):
    batch = triplet_batch(GLOBAL_BATCH)
    alone = {name: value.numpy() for name, value in noise_of(batch).items()}
    shared = on_replicas(mirrored, noise_of, batch)
    for name in ("posterior", "augmentation"):
        np.testing.assert_array_equal(np.concatenate(shared[name], axis=1), alone[name])
    np.testing.assert_array_equal(np.concatenate(shared["prior"]), alone["prior"])
    for replica in shared["of_all"]:
        np.testing.assert_array_equal(replica, alone["of_all"])


def test_noise_differs_between_steps_seeds_and_purposes(triplet_batch):
    triplet = read(triplet_batch(GLOBAL_BATCH))

    def draws(seed, step):
        noise = Noise(seed, tf.constant(step, tf.int64), triplet, z_dim=3)
        return [noise.posterior(3).numpy()[:8], noise.prior().numpy(), noise.prior_of_global_batch().numpy()[:8]]

    np.testing.assert_array_equal(draws(5, 9), draws(5, 9))
    every = [*draws(5, 9), *draws(5, 10), *draws(6, 9), *draws(9, 5)]
    assert len({draw.tobytes() for draw in every}) == len(every)
    posterior = Noise(5, tf.constant(9, tf.int64), triplet, z_dim=2000).posterior(3)
    assert abs(np.mean(posterior)) < 0.02 and abs(np.std(posterior) - 1) < 0.02
    assert np.abs(np.corrcoef(posterior) - np.eye(24)).max() < 0.12  # no two images share their noise


def test_gathered_codes_are_in_the_order_of_one_replica(mirrored, triplet_batch):
    batch = triplet_batch(GLOBAL_BATCH)
    expected = {name: getattr(read(batch), name).numpy() for name in ("images", "labels")}
    shared = on_replicas(
        mirrored, lambda b: {name: replicas.gather(getattr(read(b), name)) for name in expected}, batch
    )
    for name, value in expected.items():
        for replica in shared[name]:
            np.testing.assert_allclose(replica, value, atol=1e-6)


def test_gathered_codes_have_exact_gradients(mirrored, triplet_batch):
    """A term of all pairs, computed in full on every replica and shared: the gradients of the replicas are its own."""
    batch = triplet_batch(GLOBAL_BATCH, image_shape=(1, 2, 1))

    def gradient(batch):
        x = tf.reshape(read(batch).images, (-1, 2))
        with tf.GradientTape() as tape:
            tape.watch(x)
            every = replicas.gather(x)
            loss = replicas.share([tf.reduce_mean(tf.sin(tf.matmul(every, every, transpose_b=True)))])
        return tf.reshape(tape.gradient(loss, x), (3, -1, 2))

    shared = np.concatenate(on_replicas(mirrored, gradient, batch), axis=1)
    np.testing.assert_allclose(shared, gradient(batch), atol=1e-7)


def test_gate_looks_at_the_accuracy_of_the_global_batch(mirrored, tiny_model, triplet_batch):
    with mirrored.scope():
        model = tiny_model(adversary_max_accuracy=0.6)
    right, wrong = tf.fill([4], 5.0), tf.fill([4], -5.0)

    def step(num_right):
        """Replica i's logits are all right if i < num_right, else all wrong."""
        is_right = tf.distribute.get_replica_context().replica_id_in_sync_group < num_right
        logits = AdversaryLogits(tf.where(is_right, right, wrong), tf.where(is_right, wrong, right), None)
        gradients = [tf.ones_like(variable) for variable in model.adversary.trainable_variables]
        return model._train_adversary(gradients, logits)["adversary_accuracy"]

    run = tf.function(lambda num_right: mirrored.run(step, args=(num_right,)), autograph=False)
    state = [*model.adversary.trainable_variables, *model.adversary_optimizer.variables]
    for num_right, accuracy, is_open in ((2, 1.0, False), (1, 0.5, True), (2, 1.0, False), (0, 0.0, True)):
        before = [variable.numpy() for variable in state]
        accuracies = mirrored.experimental_local_results(run(tf.constant(num_right)))
        assert [float(value) for value in accuracies] == [accuracy] * 2
        unchanged = [np.array_equal(variable.numpy(), value) for variable, value in zip(state, before, strict=True)]
        assert sum(unchanged) == 1 if is_open else all(unchanged)  # the learning rate never changes
        check_replicas_agree(mirrored, state)


def check_replicas_agree(strategy, variables):
    for variable in variables:
        one, other = strategy.experimental_local_results(variable.value)
        np.testing.assert_array_equal(one, other, err_msg=variable.path)


# SGD: rounding, as measured with synchronised BatchNorm alone. Adam divides by the gradient's size, so the rounding of
# a gradient near 0 becomes a good part of an update: a quarter of one, at the learning rate of 2e-4.
TOLERANCE = {"sgd": 6e-6, "adam": 5e-5}
# Tracing the adversary takes most of the time, and Adam treats its gradients as it does the others'.
FLAGS = {
    "sgd": {"adversary_max_accuracy": 0.9, "adversary_labels": "identity"},
    "adam": {"swap_other_weight": 0.0, "prior_sample_weight": 0.0, "latent_adversary_labels": "pair"},
}


@pytest.mark.parametrize("kind", ["sgd", pytest.param("adam", marks=pytest.mark.slow)])
def test_three_steps_on_two_replicas_are_those_on_one(kind, mirrored, tiny_model, triplet_batch, additions):
    def make():
        model = tiny_model(**additions | FLAGS[kind] | {"num_latent_adversary_updates": 1, "batch_size": GLOBAL_BATCH})
        if kind == "sgd":
            model.compile(*(keras.optimizers.SGD(0.02) for _ in range(3)))
        return model

    alone = make()
    start = [variable.numpy() for variable in alone.trainable_variables]
    for batch in batches(triplet_batch):
        alone.train_step(batch)
    with mirrored.scope():
        shared = make()
    step = tf.function(lambda batch: mirrored.run(shared.train_step, args=(batch,)), autograph=False)
    per_replica = distributed(mirrored, batches(triplet_batch))
    for _ in range(STEPS):
        step(next(per_replica))

    for one, two in zip(alone.variables, shared.variables, strict=True):
        np.testing.assert_allclose(two.numpy(), one.numpy(), rtol=0, atol=TOLERANCE[kind], err_msg=one.path)
    moved = [
        np.abs(variable.numpy() - value).max() for variable, value in zip(alone.trainable_variables, start, strict=True)
    ]
    assert min(moved) > 3 * TOLERANCE[kind]
    check_replicas_agree(mirrored, all_variables(shared))
    for name, mean in alone.means.result().items():
        assert float(shared.means.result()[name]) == pytest.approx(float(mean), rel=1e-4, abs=1e-5), name
