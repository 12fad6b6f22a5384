"""Sets of TensorFlow Datasets, from small prepared sets under their own names."""

import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow_datasets as tfds

from dfv import data
from dfv.config.schema import DataConfig
from dfv.data import DataError
from dfv.data.cache import RecordImages
from dfv.data.dataset import SPLITS
from dfv.data.image_operations import fit_images


def prepare(folder, name, version, features, splits):
    """Writes a set as TFDS does; splits: name -> (N, feature -> [N] values)."""
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version=version,
        features=tfds.features.FeaturesDict(features),
        split_datasets={
            split: [(row, {name: values[row] for name, values in columns.items()}) for row in range(num_examples)]
            for split, (num_examples, columns) in splits.items()
        },
        data_dir=folder,
        disable_shuffling=True,
    )
    return str(folder)


def number_images(numbers, side=28, channels=1):
    """Image i shows numbers[i], base 256, in its first two pixels."""
    images = np.zeros((len(numbers), side, side, channels), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = np.divmod(numbers, 256)
    return images


def shown(images):
    return images[:, 0, 0, 0].astype(int) * 256 + images[:, 0, 1, 0]


@pytest.fixture(scope="module")
def mnist_dir(tmp_path_factory):
    features = {"image": tfds.features.Image(shape=(28, 28, 1)), "label": tfds.features.ClassLabel(num_classes=10)}
    columns = {
        split: (len(numbers), {"image": number_images(numbers), "label": numbers % 10})
        for split, numbers in {"train": np.arange(5040), "test": np.arange(30_000, 30_050)}.items()
    }
    return prepare(tmp_path_factory.mktemp("mnist"), "mnist", "3.0.1", features, columns)


def test_mnist_holds_out_the_last_5000_training_images(mnist_dir):
    splits = data.load(DataConfig(dataset="mnist", data_dir=mnist_dir))
    expected = {"train": np.arange(40), "validation": np.arange(40, 5040), "test": np.arange(30_000, 30_050)}
    for name, numbers in expected.items():
        part = getattr(splits, name)
        np.testing.assert_array_equal(shown(part.images), numbers)
        np.testing.assert_array_equal(part.identity, numbers % 10)
    assert splits.train.image_shape == (28, 28, 1) and splits.attribute_sizes == {}


@pytest.mark.parametrize("dataset", ["mnist", "smallnorb"])
def test_a_set_in_records_is_the_same_when_it_is_written_and_when_it_is_read(dataset, request, tmp_path):
    folder = request.getfixturevalue(f"{dataset}_dir")
    in_memory, *on_disk = (
        data.load(DataConfig(dataset=dataset, data_dir=folder, memory_limit_mb=limit, cache_dir=str(tmp_path)))
        for limit in (4096, 0, 0)
    )
    for splits in on_disk:
        assert isinstance(splits.train.images, RecordImages)
        for part in SPLITS:
            one, other = getattr(in_memory, part), getattr(splits, part)
            np.testing.assert_array_equal(other.images[:], one.images)
            np.testing.assert_array_equal(other.identity, one.identity)


def test_mnist_at_another_size(mnist_dir):
    splits = data.load(DataConfig(dataset="mnist", data_dir=mnist_dir, image_size=14))
    first = splits.validation.images[216]  # of number 256: pixels 1 and 0, and three 0 in the same area
    assert splits.validation.images.shape == (5000, 14, 14, 1) and first[0, 0, 0] == 0


def test_a_truncated_prepared_file_is_named(mnist_dir, tmp_path):
    (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
    for path in Path(mnist_dir, "mnist", "3.0.1").iterdir():
        content = path.read_bytes()
        is_train = "train.tfrecord" in path.name
        (tmp_path / "mnist" / "3.0.1" / path.name).write_bytes(content[:-1000] if is_train else content)
    with pytest.raises(DataError, match="mnist-train.tfrecord-.* cannot be read to the end.*Delete that folder"):
        data.load(DataConfig(dataset="mnist", data_dir=str(tmp_path)))


@pytest.mark.parametrize("dataset", ["mnist", "smallnorb"])
def test_a_set_that_cannot_be_downloaded_ends_in_the_expected_tree(dataset, tmp_path, caplog):
    failure = mock.patch.object(tfds.core.DatasetBuilder, "download_and_prepare", side_effect=TimeoutError("no answer"))
    found = mock.patch("socket.getaddrinfo", return_value=[])
    config = DataConfig(dataset=dataset, data_dir=str(tmp_path))
    message = rf"failed \(TimeoutError: no answer\).*\n.*\n.*{dataset}-train.tfrecord-.*\n.*http.*--data_dir=DIR"
    with failure, found, caplog.at_level("WARNING"), pytest.raises(DataError, match=message):
        data.load(config)
    assert f"{dataset} is not prepared under {tmp_path}" in caplog.text and "downloading it" in caplog.text


def test_without_a_network_no_download_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr("dfv.data.sources.tfds_builders.getproxies", dict)
    no_address = mock.patch("socket.getaddrinfo", side_effect=OSError)
    download = mock.patch.object(tfds.core.DatasetBuilder, "download_and_prepare")
    with no_address, download as tried, pytest.raises(DataError, match="no network, no address of .*googleapis.com"):
        data.load(DataConfig(dataset="mnist", data_dir=str(tmp_path)))
    assert not tried.called


NORB_FEATURES = {
    "image": tfds.features.Image(shape=(96, 96, 1)),
    "image2": tfds.features.Image(shape=(96, 96, 1)),
    "instance": tfds.features.ClassLabel(num_classes=10),
    "label_category": tfds.features.ClassLabel(num_classes=5),
    "label_elevation": tfds.features.ClassLabel(num_classes=9),
    "label_azimuth": tfds.features.ClassLabel(num_classes=18),
    "label_lighting": tfds.features.ClassLabel(num_classes=6),
}


def norb_columns(instances, light_known):
    """Six shots of every toy in a mixed order; the image shows the shot's number, image2 that and 20,000."""
    instance, category, shot = (grid.ravel() for grid in np.meshgrid(instances, range(5), range(6), indexing="ij"))
    order = np.random.default_rng(0).permutation(len(instance))
    instance, category, shot = instance[order], category[order], shot[order]
    number = (category * 10 + instance) * 10 + shot
    return {
        "image": number_images(number, 96),
        "image2": number_images(number + 20_000, 96),
        "instance": instance,
        "label_category": category,
        "label_elevation": np.zeros_like(shot),
        "label_azimuth": shot * light_known,
        "label_lighting": np.zeros_like(shot),
    }


def norb(folder, light_known):
    toys = {"train": (4, 6, 7, 8, 9), "test": (0, 1, 2, 3, 5)}
    splits = {split: (150, norb_columns(instances, light_known)) for split, instances in toys.items()}
    return prepare(folder, "smallnorb", "2.0.0", NORB_FEATURES, splits)


@pytest.fixture(scope="module")
def smallnorb_dir(tmp_path_factory):
    return norb(tmp_path_factory.mktemp("norb"), light_known=True)


@pytest.fixture(scope="module")
def norb_splits(smallnorb_dir):
    return data.load(DataConfig(dataset="smallnorb", data_dir=smallnorb_dir))


def test_norb_holds_out_whole_toys(norb_splits):
    parts = (norb_splits.train, norb_splits.validation, norb_splits.test)
    instances = [set(shown(part.images) % 20_000 // 10 % 10) for part in parts]
    assert instances == [{4, 6, 7, 8}, {9}, {0, 1, 2, 3, 5}]
    assert [len(part) for part in parts] == [240, 60, 300]
    assert norb_splits.num_identities == 20 and norb_splits.attribute_sizes == {"category": 5}


def test_norb_labels_are_those_of_the_toy_shown(norb_splits):
    for part in (norb_splits.train, norb_splits.validation, norb_splits.test):
        number = shown(part.images)
        np.testing.assert_array_equal(part.factors["camera"], number >= 20_000)
        np.testing.assert_array_equal(part.attributes["category"], number % 20_000 // 100)
        np.testing.assert_array_equal(part.factors["azimuth"], number % 10)
        assert set(part.factors) == {"camera", "azimuth"}  # elevation and lighting are the same everywhere
        pairs = np.unique(np.stack([part.identity, number % 20_000 // 10]), axis=1)
        assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


def test_norb_for_the_final_run_trains_on_all_toys(tmp_path):
    folder = norb(tmp_path, light_known=False)
    splits = data.load(DataConfig(dataset="smallnorb", data_dir=folder, include_validation=True, image_size=48))
    assert splits.num_identities == 25 and splits.train.images.shape == (300, 48, 48, 1)
    assert set(splits.validation.identity) < set(splits.train.identity) and set(splits.train.factors) == {"camera"}


@pytest.fixture(scope="module")
def letters_dir(tmp_path_factory):
    features = {
        "picture": tfds.features.Image(shape=(8, 10, 3)),
        "photo": tfds.features.Image(shape=(None, None, 1)),
        "letter": tfds.features.Text(),
        "size": np.float32,
    }
    columns = {
        split: (
            len(numbers),
            {
                "picture": number_images(numbers, 10, 3)[:, :8],
                "photo": [np.full((4 + n % 3, 6, 1), n, np.uint8) for n in numbers],
                "letter": np.array(["b", "a", "c"])[numbers % 3],
                "size": numbers / 2,
            },
        )
        for split, numbers in {"train": np.arange(60), "test": np.arange(60, 81)}.items()
    }
    return prepare(tmp_path_factory.mktemp("letters"), "letters", "1.0.0", features, columns)


def from_letters(letters_dir, image_size=0, grayscale=False, **options):
    config = DataConfig(data_dir=letters_dir, image_size=image_size, grayscale=grayscale)
    return data.from_tfds("letters", **{"identity": "letter", "image": "picture", "config": config, **options})


def test_any_labelled_set_by_name(letters_dir):
    splits = from_letters(letters_dir, validation_fraction=0.2)
    for part, numbers in ((splits.train, range(48)), (splits.validation, range(48, 60)), (splits.test, range(60, 81))):
        np.testing.assert_array_equal(shown(part.images), numbers)
        np.testing.assert_array_equal(part.identity, np.array([1, 0, 2])[np.array(numbers) % 3])
    assert splits.train.image_shape == (8, 10, 3)
    assert from_letters(letters_dir, grayscale=True).train.image_shape == (8, 10, 1)


def test_any_labelled_set_by_flags(letters_dir):
    flags = {"dataset": "tfds", "tfds_name": "letters", "tfds_identity": "letter", "tfds_image": "picture"}
    splits = data.load(DataConfig(data_dir=letters_dir, **flags))
    assert splits.digest == from_letters(letters_dir).digest
    parts = {"tfds_train_split": "train[:30]", "tfds_test_split": "train[30:]"}
    splits = data.load(DataConfig(data_dir=letters_dir, **flags, **parts))
    np.testing.assert_array_equal(shown(splits.test.images), range(30, 60))
    with pytest.raises(DataError, match="no tfds_name is given"):
        data.load(DataConfig(dataset="tfds"))


def test_images_of_several_sizes_are_resized(letters_dir):
    splits = from_letters(letters_dir, image_size=5, image="photo", train_split="train[:30]", test_split="train[30:]")
    assert splits.test.image_shape == (5, 5, 1)
    np.testing.assert_array_equal(splits.test.images.mean((1, 2, 3)), range(30, 60))


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_images_of_another_aspect_are_fitted(letters_dir, tmp_path, fit):
    config = DataConfig(data_dir=letters_dir, image_size=8, fit=fit, memory_limit_mb=0, cache_dir=str(tmp_path))
    splits = data.from_tfds("letters", identity="letter", image="picture", config=config)
    original = from_letters(letters_dir).test.images
    np.testing.assert_array_equal(splits.test.images[:], fit_images(original, 8, 8, fit))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"identity": "label"},
            r"no feature 'label'; set identity \(--tfds_identity\) to one of letter, photo, picture, size",
        ),
        ({"image": "image"}, r"no feature 'image'; set image \(--tfds_image\) to one of"),
        ({"identity": "size"}, "feature 'size': expected an integer or a text"),
        ({"image": "size"}, "feature 'size': expected uint8 images"),
        ({"image": "photo"}, r"images may differ in size; .*image_size=64"),
        ({"test_split": "validation"}, "no split 'validation' among test, train; set train_split"),
        ({"train_split": "train[:0%]"}, r"split 'train\[:0%\]' has no examples; set train_split"),
        ({"test_split": "train[5:3]"}, r"split 'train\[5:3\]' has no examples"),
        (
            {"train_split": "train[:40]", "test_split": "train[30:]"},
            r"'train\[:40\]' and 'train\[30:\]' share 10 examples",
        ),
        ({"train_split": "train+test"}, r"splits 'train\+test' and 'test' share [0-9]+ examples; set train_split"),
        ({"validation_fraction": 1.5}, "validation_fraction: expected .*got 1.5"),
    ],
)
def test_unfit_choices_are_refused(letters_dir, options, message):
    with pytest.raises(DataError, match=message):
        from_letters(letters_dir, **options)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mnist:9.9.9", "cannot be loaded at version 9.9.9"),
        ("mnist/no_such_config", "BuilderConfig no_such_config not found"),
        ("mnist/no_such_argument=1", "unexpected keyword argument"),
        ("../x", "Parsing builder name string ../x failed"),
    ],
)
def test_a_name_that_cannot_be_opened_is_refused_by_what_came(tmp_path, name, reason):
    with pytest.raises(DataError, match=f"'{name}': expected .* NAME/CONFIG or NAME:VERSION .*{reason}"):
        data.from_tfds(name, config=DataConfig(data_dir=str(tmp_path)))


def test_an_unknown_name_is_refused(tmp_path):
    with pytest.raises(
        DataError, match="no_such_set: TensorFlow Datasets has no such data set.*--data_dir=.*NAME/VERSION"
    ):
        data.from_tfds("no_such_set", config=DataConfig(data_dir=str(tmp_path)))


def test_a_prepared_set_whose_information_is_damaged_is_named(letters_dir, tmp_path):
    shutil.copytree(Path(letters_dir) / "letters", tmp_path / "letters")
    (information,) = tmp_path.glob("letters/*/dataset_info.json")
    information.write_text("{")
    with pytest.raises(DataError, match="letters: dataset_info.json below --data_dir=.*prepare the set again"):
        from_letters(str(tmp_path))
    information.unlink()
    with pytest.raises(DataError, match="letters: dataset_info.json below --data_dir=.*prepare the set again"):
        from_letters(str(tmp_path))


def test_examples_without_a_label_are_no_identity(tmp_path):
    features = {"image": tfds.features.Image(shape=(28, 28, 1)), "label": tfds.features.ClassLabel(num_classes=2)}
    parts = {"train": np.arange(20) % 2, "test": np.full(5, -1)}
    columns = {name: (len(of), {"image": number_images(np.arange(len(of))), "label": of}) for name, of in parts.items()}
    config = DataConfig(data_dir=prepare(tmp_path, "hidden", "1.0.0", features, columns))
    with pytest.raises(DataError, match="5 of 5 examples of split 'test' have no label 'label'.*such as 'train"):
        data.from_tfds("hidden", config=config)
    splits = data.from_tfds("hidden", train_split="train[:80%]", test_split="train[80%:]", config=config)
    assert splits.num_identities == 2


PERSONS = {
    "beyond 32 bits": (np.int64, [5, 2**32 + 5, -3, 2**40]),
    "unsigned": (np.uint64, [5, 2**63 + 5, 2**64 - 1, 0]),
}


@pytest.fixture(scope="module", params=PERSONS)
def nested(request, tmp_path_factory):
    """Image n shows n; its person is in a nested feature, next to sequences and an image of any size."""
    dtype, persons = PERSONS[request.param]
    features = {
        "image": tfds.features.Image(shape=(8, 8, 1)),
        "meta": {
            "person": tfds.features.Scalar(dtype),
            "face": tfds.features.Image(shape=(6, 6, 1)),
            "views": tfds.features.Sequence({"photo": tfds.features.Image(shape=(None, None, 1))}),
        },
        "tags": tfds.features.Sequence(tfds.features.Text()),
    }
    numbers = np.arange(40)
    meta = [
        {
            "person": np.array(persons[n % 4], dtype),
            "face": number_images(np.array([n + 100]), 6)[0],
            "views": [{"photo": np.zeros((3, 2, 1), np.uint8)}] * (n % 3),
        }
        for n in numbers
    ]
    columns = {"image": number_images(numbers, 8), "meta": meta, "tags": [["x"] * (n % 4) for n in numbers]}
    folder = prepare(tmp_path_factory.mktemp("nested"), "nested", "1.0.0", features, {"train": (40, columns)})
    return DataConfig(data_dir=folder), np.argsort(np.argsort(persons))


def from_nested(config, **options):
    halves = {"train_split": "train[:20]", "test_split": "train[20:]"}
    return data.from_tfds("nested", **{"identity": "meta/person", "config": config, **halves, **options})


@pytest.mark.parametrize(("image", "first"), [("image", 0), ("meta/face", 100)])
def test_nested_features_are_named_by_their_path_and_large_numbers_stay_apart(nested, image, first):
    config, order = nested
    splits = from_nested(config, image=image)
    assert splits.num_identities == 4 and splits.train.identity.dtype == np.int32
    np.testing.assert_array_equal(shown(splits.test.images), np.arange(20, 40) + first)
    np.testing.assert_array_equal(splits.test.identity, order[np.arange(20, 40) % 4])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"identity": "person"},
            r"one of image, meta/face, meta/person, meta/views \(a sequence\), tags",
        ),
        ({"identity": "tags"}, "feature 'tags' is a sequence.*set identity .*to a feature with one"),
        ({"image": "meta/views"}, "feature 'meta/views' is a sequence.*set image .*to a feature"),
        ({"image": "meta"}, r"no feature 'meta'; set image \(.*\) to one of image, meta/face"),
    ],
)
def test_sequences_and_folders_of_features_are_refused(nested, options, message):
    with pytest.raises(DataError, match=message):
        from_nested(nested[0], **options)
