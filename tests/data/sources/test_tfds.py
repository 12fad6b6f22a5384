"""Any labelled set of TensorFlow Datasets, from small prepared sets."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from dfv import data
from dfv.config.schema import DataConfig
from dfv.data import DataError
from dfv.data.image_operations import fit_images
from tests.data.sources.prepared_sets import number_images, prepare
from tests.data.spelled_images import shown


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
