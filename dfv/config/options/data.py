"""Options of the data set and of the sampling of triplets."""

from dataclasses import dataclass

from dfv.config.fields import Checked, Role, option

FITS = ("crop", "pad", "stretch")
DATASETS = ("toy_sprites", "mnist", "sprites", "smallnorb", "yaleb", "image_folder", "tfds", "arrays")


@dataclass(frozen=True)
class DataConfig(Checked):
    """Data set, preprocessing, and sampling of triplets."""

    dataset: str = option(
        "toy_sprites",
        "Data set of images grouped by identity. image_folder: image files, see --image_dir; tfds: any labelled"
        " data set of TensorFlow Datasets, see --tfds_name; arrays: NumPy arrays, from Python only (dfv.from_arrays).",
        choices=DATASETS,
    )
    data_dir: str = option(
        "",
        "Folder of prepared TensorFlow Datasets; empty: ~/tensorflow_datasets.",
        is_path=True,
        role=Role.DATA_LOCATION,
    )
    manual_dir: str = option(
        "",
        "Folder with the files that must be downloaded by hand (sprites/, yaleb/); empty: DATA_DIR/downloads/manual.",
        is_path=True,
        role=Role.DATA_LOCATION,
    )
    image_dir: str = option(
        "",
        "Folder with one subfolder of images per identity, or of images to which --identity_pattern or --image_list"
        " applies. Without --dataset, options that suit the images are chosen.",
        is_path=True,
        role=Role.DATA_LOCATION,
    )
    image_list: str = option(
        "",
        "List of the images of --dataset=image_folder: a .csv, .tsv or .jsonl file with columns path and identity, and"
        " optionally attribute_NAME and factor_NAME. Paths are relative to --image_dir or, if that is not given, to the"
        " folder of the list.",
        is_path=True,
        role=Role.DATA_LOCATION,
    )
    identity_pattern: str = option(
        "",
        "Regular expression that finds the identity in the path of each image below --image_dir, by its group"
        " (?P<identity>...); empty: the identity is the subfolder.",
    )
    skip_bad_images: bool = option(
        False,
        "Continue without the files of --dataset=image_folder that cannot be read as images, which are listed. All"
        " files are read once more at the start.",
        role=Role.DATA_LOCATION,
    )
    split_by: str = option(
        "within",
        "How --dataset=image_folder is split. within: images of every identity in each split; across: each identity in"
        " one split only.",
        choices=("within", "across"),
    )
    tfds_name: str = option(
        "", "Name of the data set of --dataset=tfds in TensorFlow Datasets, such as NAME, NAME/CONFIG or NAME:VERSION."
    )
    tfds_identity: str = option(
        "label",
        "Feature of --dataset=tfds that is the identity, an integer or a text; a nested one by its path, such as"
        " meta/person.",
    )
    tfds_image: str = option("image", "Feature of --dataset=tfds that is the image.")
    tfds_train_split: str = option(
        "train",
        "Split of --dataset=tfds for training, of which the last tenth is the validation split; parts are written as"
        " train[:80%].",
    )
    tfds_test_split: str = option("test", "Split of --dataset=tfds for test, such as test or train[80%:].")
    image_size: int = option(
        0,
        "Height and width of the images in pixels; 0: the data set's own size, or 64 for yaleb and image_folder."
        " --dataset=tfds needs it if sizes differ.",
        at_least=0,
        at_most=512,
    )
    fit: str = option(
        "crop",
        "How images of --dataset=image_folder and tfds get the model's aspect ratio. crop: the middle of the"
        " image; pad: the whole image between white bars; stretch: the whole image, distorted. The `_bytes` signatures"
        " of the exported model do the same.",
        choices=FITS,
    )
    grayscale: bool = option(False, "Convert colour images to grayscale.")
    split_index: int = option(
        0,
        "Index of the random split of yaleb and image_folder; data sets with a published split ignore it.",
        at_least=0,
        at_most=999,
        role=Role.REPETITION,
    )
    include_validation: bool = option(
        False, "Also train on the validation images, for final runs; validation losses are then not on held-out images."
    )
    min_images_per_identity: int = option(
        2,
        "Minimum number of training images per identity. Identities with fewer raise an error, or are dropped with"
        " --drop_small_identities.",
        at_least=2,
    )
    drop_small_identities: bool = option(
        False, "Drop identities with fewer than --min_images_per_identity training images, with a warning."
    )
    toy_characters: int = option(
        1000, "Number of training characters of --dataset=toy_sprites.", at_least=2, at_most=200_000
    )
    memory_limit_mb: int = option(
        4096,
        "Splits larger than this, in MiB, are read from a cache on disk instead of memory; 0: always use the cache.",
        at_least=0,
        role=Role.DATA_LOCATION,
    )
    cache_dir: str = option(
        "", "Folder of the on-disk cache; empty: ~/.cache/dfv.", is_path=True, role=Role.DATA_LOCATION
    )
    augment_shift: int = option(
        0, "Augmentation: random shift by up to this many pixels; edge pixels are repeated.", at_least=0
    )
    augment_flip: bool = option(False, "Augmentation: mirror images left to right with probability 1/2.")
    x2_any_identity: bool = option(
        False,
        "Draw x2 from all identities, as in figure 1 of the paper, instead of from identities other than that of x1.",
    )

    @property
    def fit_in_training(self) -> str:
        """How training images get the model's aspect ratio: `fit`, but photographs of yaleb are always stretched."""
        return "stretch" if self.dataset == "yaleb" else self.fit
