"""The batches that `fit` takes: every form of Keras, and one message for what is no batch of triplets."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

NO_ADVERSARY = {"swap_other_weight": 0.0, "prior_sample_weight": 0.0}
LATENT = NO_ADVERSARY | {"latent_adversary_weight": 0.1, "num_replay_batches": 2}
EXPECTED = (
    r"expected batches of triplets, a dict of x1, x1_same, x2 \[B, 12, 12, 1\] uint8 and labels1, labels2 \[B, 3\]"
)


def dataset(batch, batch_size=4):
    return tf.data.Dataset.from_tensor_slices(batch).batch(batch_size)


class Pairs(keras.utils.PyDataset):
    """Batches as a PyDataset, in a tuple or alone."""

    def __init__(self, batch, wrapped):
        super().__init__()
        self.item = (batch,) if wrapped else batch

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.item


FORMS = {
    "arrays": lambda batch: batch,
    "dataset": dataset,
    "dataset of (batch,)": lambda batch: dataset(batch).map(lambda element: (element,)),
    "PyDataset": lambda batch: Pairs(batch, wrapped=False),
    "PyDataset of (batch,)": lambda batch: Pairs(batch, wrapped=True),
    "generator of (batch,)": lambda batch: ((batch,) for _ in range(4)),
}


@pytest.fixture(scope="module")
def shared(tiny_model):
    return tiny_model(**NO_ADVERSARY)


@pytest.fixture(scope="module")
def compiled_by_xla(tiny_model):
    return tiny_model(**NO_ADVERSARY, jit_compile=True)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore:.*shuffle=True:UserWarning", "ignore:Your input ran out of data:UserWarning")
def test_every_form_of_a_batch_trains_and_evaluates(form, shared, triplet_batch):
    data = FORMS[form]
    history = shared.fit(data(triplet_batch()), steps_per_epoch=2, verbose=0).history
    assert np.isfinite(history["loss"]).all() and history["reconstruction"][0] > 0
    values = shared.evaluate(data(triplet_batch()), steps=2, verbose=0, return_dict=True)
    expected = shared.evaluate(dataset(triplet_batch()), verbose=0, return_dict=True)
    assert values == pytest.approx(expected, rel=1e-4)


def test_a_batch_alone_is_trained_on_and_tested(shared, triplet_batch):
    tested = shared.test_on_batch(triplet_batch(), return_dict=True)
    values = shared.test_on_batch(triplet_batch())
    assert values == pytest.approx([tested[name] for name in shared.metrics_names], rel=1e-4)
    assert set(shared.train_on_batch(triplet_batch(), return_dict=True)) == set(shared.means.names)


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_labels_of_any_integer_type_are_the_same_labels(dtype, tiny_model, triplet_batch):
    flags = LATENT | {"identity_mmd_weight": 0.1}
    batch = triplet_batch()
    other = batch | {name: batch[name].astype(dtype) for name in ("labels1", "labels2")}
    terms = [tiny_model(**flags).train_step(data) for data in (batch, other)]
    for name, value in terms[0].items():
        np.testing.assert_array_equal(value, terms[1][name])


WRONG = {
    "bare images": (lambda b: b["x1"], "received [8, 12, 12, 1] uint8"),
    "images and labels": (lambda b: (b["x1"], b["labels1"]), "received ([8, 12, 12, 1] uint8, [8, 3] int32)"),
    "missing": (lambda b: {k: b[k] for k in ("x1", "labels1")}, "x1, labels1, without x1_same, x2, labels2"),
    "floats": (lambda b: b | {"x1": b["x1"] / np.float32(255)}, "received x1 [8, 12, 12, 1] float32"),
    "shape": (lambda b: b | {"x2": b["x2"][:, :6]}, "received x2 [8, 6, 12, 1] uint8"),
    "label of rank 1": (lambda b: b | {"labels1": b["labels1"][:, 0]}, "received labels1 [8] int32"),
    "label as float": (lambda b: b | {"labels2": b["labels2"].astype("float32")}, "received labels2 [8, 3] float32"),
    "sizes": (lambda b: b | {"x1": b["x1"][:4]}, "received different batch sizes, x1 4, x1_same 8"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_batch_of_triplets_is_refused_with_expected_and_received(case, shared, triplet_batch):
    change, received = WRONG[case]
    data, message = change(triplet_batch()), f"{EXPECTED}.*{re.escape(received)}"
    for use in (shared.fit, shared.evaluate, shared.train_step, shared.train_on_batch):
        with pytest.raises(ValueError, match=message):
            use(data)
    if case == "sizes":
        return  # such a data set cannot be made
    batches = tf.data.Dataset.from_tensors(data)
    for arguments in ({"x": batches}, {"x": dataset(triplet_batch()), "validation_data": batches}):
        with pytest.raises(ValueError, match=message):
            shared.fit(**arguments)


def test_images_and_labels_as_two_arguments_are_refused(shared, triplet_batch):
    batch = triplet_batch()
    with pytest.raises(ValueError, match=EXPECTED + r".*received \(\[8, 12, 12, 1\] uint8, \[8, 3\] int32\)"):
        shared.fit(batch["x1"], batch["labels1"])
    with pytest.raises(ValueError, match=EXPECTED):
        shared.fit(batch, batch["labels1"])


@pytest.mark.parametrize("label", [-1, 3, 2**32])
def test_labels_out_of_range_are_refused_in_every_batch(label, shared, triplet_batch):
    good, wrong = triplet_batch(), triplet_batch()
    wrong = {name: value.astype(np.int64) if "labels" in name else value for name, value in wrong.items()}
    good = {name: value.astype(wrong[name].dtype) for name, value in good.items()}
    wrong["labels2"][5, 0] = label
    message = "labels2: expected labels from 0 to 2, 1, 3 by column; received"
    with pytest.raises(ValueError, match=message):
        shared.train_step(wrong)
    batches = dataset(good, 8).concatenate(dataset(wrong, 8))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        shared.fit(batches, verbose=0)
    assert np.isfinite(shared.evaluate(batches, verbose=0)).all()  # validation may have unseen identities


@pytest.mark.parametrize("form", ["arrays", "dataset", "dataset of (batch,)"])
def test_labels_out_of_range_are_refused_under_xla_too(form, compiled_by_xla, triplet_batch):
    model, wrong = compiled_by_xla, triplet_batch()
    wrong["labels1"][5, 0] = 50
    with pytest.raises(
        (ValueError, tf.errors.InvalidArgumentError), match="labels1: expected labels from 0 to 2, 1, 3"
    ):
        model.fit(FORMS[form](wrong), verbose=0)
    with pytest.raises(ValueError, match="labels1: expected labels from 0 to 2, 1, 3"):
        model.train_on_batch(wrong)


def test_weights_of_examples_and_classes_are_refused(shared, triplet_batch):
    batch, weights = triplet_batch(), np.ones(8)
    for use in (shared.fit, shared.evaluate, shared.train_on_batch, shared.test_on_batch):
        with pytest.raises(
            ValueError, match="^sample_weight: expected none, since all triplets of a batch count the same"
        ):
            use(batch, sample_weight=weights)
    for use in (shared.fit, shared.train_on_batch):
        with pytest.raises(ValueError, match="^class_weight: expected none"):
            use(batch, class_weight={0: 1.0, 1: 2.0})


def test_an_endless_data_set_without_a_number_of_steps_is_refused_at_once(shared, triplet_batch):
    endless, finite = dataset(triplet_batch()).repeat(), dataset(triplet_batch())
    with pytest.raises(ValueError, match=r"^steps_per_epoch: .*endless.*Give steps_per_epoch, or dataset\.take"):
        shared.fit(endless)
    with pytest.raises(ValueError, match="^validation_steps: .*endless"):
        shared.fit(finite, validation_data=endless)
    with pytest.raises(ValueError, match="^steps: .*endless"):
        shared.evaluate(endless)
    shared.fit(endless, steps_per_epoch=1, validation_data=endless, validation_steps=1, verbose=0)
    shared.evaluate(endless, steps=1, verbose=0)


@pytest.mark.parametrize("labels", [pytest.param("identity", marks=pytest.mark.slow), "pair"])
def test_a_ragged_last_batch_and_batches_of_another_size_train_with_the_latent_adversary(
    labels, tiny_model, triplet_batch
):
    model = tiny_model(**LATENT, latent_adversary_labels=labels)  # its config has batches of 8
    for batch_size, num in ((8, 11), (5, 5), (12, 12)):
        batch = triplet_batch(num)
        history = model.fit(dataset(batch, batch_size), verbose=0).history
        assert np.isfinite(history["loss"]).all()
    # Of a batch of 12 the first 8 triplets are kept, of x1, of x1' and of x2.
    step = int(model.generator_optimizer.iterations.numpy()) - 1
    kept = model.latent_adversary.kept_labels.numpy()[step % 2 * 24 :][:24]
    columns = model.latent_adversary_columns
    expected = [batch[name][:8, columns] for name in ("labels1", "labels1", "labels2")]
    np.testing.assert_array_equal(kept, np.concatenate(expected))


def test_a_small_batch_is_kept_more_than_once(tiny_model, triplet_batch):
    model, batch = tiny_model(**LATENT), triplet_batch(3)
    model.fit(dataset(batch, 8), verbose=0)
    kept = model.latent_adversary.kept_labels.numpy()[:24].reshape(3, 8, -1)
    np.testing.assert_array_equal(kept[0], batch["labels1"][[0, 1, 2, 0, 1, 2, 0, 1], :1])
    np.testing.assert_array_equal(kept[2], batch["labels2"][[0, 1, 2, 0, 1, 2, 0, 1], :1])


def test_a_ragged_batch_for_several_replicas_is_refused(mirrored, tiny_model, triplet_batch):
    with mirrored.scope():
        model = tiny_model(**NO_ADVERSARY)
    with pytest.raises(ValueError, match=r"expected batches of one size, which 2 replicas share.*drop_remainder=True"):
        model.fit(dataset(triplet_batch(6), 4), verbose=0)
