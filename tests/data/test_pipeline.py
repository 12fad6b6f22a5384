"""Batches of triplets: what they have, how replicas share them, and what is refused."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from dfv.config.schema import ConfigError, DataConfig
from dfv.data.cache import store
from dfv.data.dataset import ImageSet
from dfv.data.pipeline import triplets
from tests.data.spelled_images import COUNTS, KEYS, assert_uniform, batches, shown, spelled


def drawn_rows(image_set: ImageSet, num: int, **options) -> np.ndarray:
    """[3, num] rows of x1, x1_same and x2."""
    drawn = batches(image_set, num // 1000, batch_size=1000, **options)
    return np.stack([np.concatenate([shown(batch[key]) for batch in drawn]) for key in KEYS[:3]])


def assert_same(left: list[dict], right: list[dict]) -> None:
    assert len(left) == len(right)
    for ours, theirs in zip(left, right, strict=True):
        for key in KEYS:
            np.testing.assert_array_equal(ours[key], theirs[key])


def test_every_element_is_a_triplet_with_its_labels(image_set):
    labels = np.stack([image_set.identity, *image_set.attributes.values()], axis=1)
    for batch in batches(image_set, 40):
        x1, x1_same, x2 = (shown(batch[key]) for key in KEYS[:3])
        assert np.all(x1 != x1_same)
        assert np.all(image_set.identity[x1] == image_set.identity[x1_same])
        assert np.all(image_set.identity[x1] != image_set.identity[x2])
        for key, rows in (("x1", x1), ("x1_same", x1_same), ("x2", x2)):
            np.testing.assert_array_equal(batch[key], image_set.images[rows])
            assert batch[key].dtype == np.uint8
        np.testing.assert_array_equal(batch["labels1"], labels[x1])
        np.testing.assert_array_equal(batch["labels2"], labels[x2])
        assert batch["labels1"].dtype == batch["labels2"].dtype == np.int32


def test_shapes_are_known_before_a_batch_is_drawn(image_set):
    spec = triplets(image_set, batch_size=8, seed=0, augment_shift=1).element_spec
    assert {key: spec[key].shape.as_list() for key in KEYS} == {
        "x1": [8, 5, 6, 3],
        "x1_same": [8, 5, 6, 3],
        "x2": [8, 5, 6, 3],
        "labels1": [8, 3],
        "labels2": [8, 3],
    }


def test_each_image_is_drawn_as_often_as_the_closed_form_says(image_set):
    identity, count = image_set.identity, np.array(COUNTS)
    x1, x1_same, x2 = drawn_rows(image_set, 60_000)
    eligible = np.flatnonzero(count[identity] >= 2)
    assert_uniform(np.searchsorted(eligible, x1), len(eligible))
    for one in np.flatnonzero(count >= 2):
        members, others = np.flatnonzero(identity == one), np.flatnonzero(identity != one)
        of_one = identity[x1] == one
        pairs = [(a, b) for a in members for b in members if a != b]
        drawn = zip(x1[of_one], x1_same[of_one], strict=True)
        assert_uniform(np.array([pairs.index(pair) for pair in drawn]), len(pairs))
        assert np.isin(x2[of_one], others).all()
        assert_uniform(np.searchsorted(others, x2[of_one]), len(others))


def test_x2_may_be_of_any_identity(image_set):
    x1, x1_same, x2 = drawn_rows(image_set, 30_000, x2_any_identity=True)
    assert np.all(x1 != x1_same)
    assert_uniform(x2, len(image_set))
    assert np.any(image_set.identity[x1] == image_set.identity[x2])
    one_identity = ImageSet(spelled(4), np.zeros(4, np.int32))
    assert set(drawn_rows(one_identity, 1000, x2_any_identity=True)[2]) == {0, 1, 2, 3}


def test_draws_of_one_step_are_independent_of_the_last(image_set):
    x1 = drawn_rows(image_set, 40_000)[0]
    places = np.unique(x1, return_inverse=True)[1]
    num = places.max() + 1
    assert_uniform(places[:-1] * num + places[1:], num**2)  # neighbours in a batch
    assert_uniform(places[:-1000] * num + places[1000:], num**2)  # the same position, a step later


@pytest.mark.parametrize("augmentation", [{}, {"augment_shift": 2, "augment_flip": True}])
def test_a_batch_is_a_function_of_seed_and_step(image_set, augmentation):
    first = batches(image_set, 6, **augmentation)
    assert_same(first, batches(image_set, 6, **augmentation))
    assert_same(first[4:], batches(image_set, 2, first_step=4, **augmentation))
    for other in (first[1], batches(image_set, 1, seed=6, **augmentation)[0]):
        assert not np.array_equal(shown(other["x1"]), shown(first[0]["x1"]))


@pytest.mark.parametrize(("num_replicas", "num_pipelines"), [(1, 1), (2, 1), (2, 2), (4, 2), (4, 4)])
def test_the_global_batch_is_the_same_however_it_is_shared(image_set, num_replicas, num_pipelines):
    options = {"first_step": 3, "augment_shift": 1, "augment_flip": True}
    replicas_each = num_replicas // num_pipelines
    shares: list[list[dict]] = [[] for _ in range(2)]
    for pipeline in range(num_pipelines):
        context = tf.distribute.InputContext(num_pipelines, pipeline, num_replicas)
        elements = batches(image_set, 2 * replicas_each, input_context=context, **options)
        for element, share in enumerate(elements):
            shares[element // replicas_each].append(share)
    together = [{key: np.concatenate([share[key] for share in step]) for key in KEYS} for step in shares]
    assert_same(together, batches(image_set, 2, **options))


def test_a_mirrored_strategy_hands_each_replica_its_rows(mirrored):
    images = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1)
    image_set = ImageSet(images, np.arange(40, dtype=np.int32) // 4)

    def make(context=None):
        return triplets(image_set, batch_size=8, seed=1, input_context=context)

    shared = iter(mirrored.distribute_datasets_from_function(make))
    for whole in make().take(5).as_numpy_iterator():
        per_replica = next(shared)
        for key, values in whole.items():
            parts = mirrored.experimental_local_results(per_replica[key])
            assert [len(part) for part in parts] == [4, 4]
            np.testing.assert_array_equal(np.concatenate(parts), values)


def test_records_on_disk_give_the_same_bits(image_set, tmp_path):
    config = DataConfig(memory_limit_mb=0, cache_dir=str(tmp_path))
    on_disk = store(image_set.images, len(image_set), image_set.image_shape, config, "set")
    assert not isinstance(on_disk, np.ndarray)
    options = {"augment_shift": 1, "augment_flip": True}
    from_disk = batches(ImageSet(on_disk, image_set.identity, image_set.attributes), 5, **options)
    assert_same(from_disk, batches(image_set, 5, **options))


def test_a_corrupted_record_stops_the_batch_with_its_text(image_set, tmp_path):
    config = DataConfig(memory_limit_mb=0, cache_dir=str(tmp_path))
    on_disk = store(image_set.images, len(image_set), image_set.image_shape, config, "set")
    damaged = bytearray(on_disk.path.read_bytes())
    damaged[256 + 10 * (5 * 6 * 3 + 4) + 20] ^= 1
    on_disk.path.write_bytes(damaged)
    with pytest.raises(tf.errors.InvalidArgumentError, match="DataError: .*corrupted at record 10.*Delete the file"):
        batches(ImageSet(on_disk, image_set.identity), 20)


def test_a_batch_is_read_at_once(image_set):
    reads = []

    class Recorded:
        shape = image_set.images.shape

        def __len__(self):
            return len(image_set)

        def __getitem__(self, rows):
            reads.append(len(rows))
            return image_set.images[rows]

    batches(ImageSet(Recorded(), image_set.identity), 3)
    assert set(reads) == {24}


def test_images_live_as_long_as_what_reads_them(image_set):
    mine = ImageSet(spelled(len(image_set)), image_set.identity)
    released = weakref.ref(mine.images)
    batches_of_mine = iter(triplets(mine, batch_size=8, seed=0).take(20))
    del mine
    gc.collect()
    assert len(list(batches_of_mine)) == 20
    del batches_of_mine
    gc.collect()
    assert released() is None


def test_a_batch_that_cannot_be_shared_is_refused(image_set):
    with pytest.raises(ConfigError, match="--batch_size=8 .* 3 replicas"):
        triplets(image_set, batch_size=8, seed=0, input_context=tf.distribute.InputContext(1, 0, 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_set": [1, 2]}, "expected an ImageSet.*received list"),
        ({"batch_size": 0}, "batch_size: expected an integer of at least 1; received 0"),
        ({"batch_size": "8"}, "batch_size: expected an integer of at least 1; received '8'"),
        ({"seed": 0.5}, "seed: expected an integer; received 0.5"),
        ({"first_step": -1}, "first_step: expected an integer of at least 0; received -1"),
        ({"augment_shift": -1}, "augment_shift: expected an integer of at least 0; received -1"),
    ],
)
def test_wrong_arguments_are_refused(change, message, image_set):
    with pytest.raises(ConfigError, match=message):
        triplets(**{"image_set": image_set, "batch_size": 8, "seed": -3, **change})
