"""Options of the program, and which of them each mode needs."""

from dataclasses import dataclass
from pathlib import Path

from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, ConfigError, option

# The flags that name the images of each mode; the first ones are required, `queries` is not.
IMAGES = {
    "encode": ("images",),
    "reconstruct": ("images",),
    "swap": ("images_s", "images_z"),
    "sample": ("images_s",),
    "interpolate": ("image_a", "image_b"),
    "grid": ("images",),
    "nearest": ("images", "queries"),
}
# Modes that write one file, by the endings of its name; the others write a folder.
ENDINGS = {"encode": (".npz", ".csv"), "grid": (".png",)}


@dataclass(frozen=True)
class FileOptions(Checked):
    """What to do, with which model and files."""

    mode: str = option("", "Required. Action; see above.", choices=tuple(IMAGES))
    run_dir: str = option("", "Folder of a run, or the name of a shipped model.", is_path=True, required=True)
    images: str = option("", "encode, reconstruct, grid, nearest: image file, or folder of images.", is_path=True)
    images_s: str = option("", "swap, sample: image file or folder that s is taken from.", is_path=True)
    images_z: str = option("", "swap: image file or folder that z is taken from.", is_path=True)
    image_a: str = option("", "interpolate: image file of the first frame.", is_path=True)
    image_b: str = option("", "interpolate: image file of the last frame.", is_path=True)
    queries: str = option(
        "", "nearest: image file or folder whose nearest images are searched; default: --images.", is_path=True
    )
    out: str = option("", "File or folder to write; see above.", is_path=True, required=True)
    overwrite: bool = option(
        False, "Write to an --out that exists; files in it that have the names of new ones are replaced."
    )
    one_s_per_folder: bool = option(
        False,
        "Replace the s of each image by the mean over its folder, for folders of images of one identity. Each folder"
        " directly inside the given one counts with all its subfolders; images next to them are one more identity.",
    )
    skip_bad_images: bool = option(
        False, "Leave out files that cannot be read, and list them in a warning. Otherwise nothing is written."
    )


@dataclass(frozen=True)
class ModeOptions(Checked):
    """Options of single modes."""

    num_samples: int = option(8, "sample: number of samples for each s.", at_least=1, at_most=10_000)
    seed: int = option(0, "sample: seed of the first sample; the next ones count up.", at_least=0, at_most=2**62)
    num_frames: int = option(16, "interpolate: number of frames.", at_least=2, at_most=500)
    interpolate: str = option("both", "interpolate: codes that change.", choices=("both", "s", "z"))
    animation: str = option(
        "gif", "interpolate: format of the animation of the frames, back and forth.", choices=("gif", "webp", "none")
    )
    num_on_grid: int = option(
        8,
        "grid: number of images: the first of each folder, then the second of each, and so on.",
        at_least=2,
        at_most=50,
    )
    num_nearest: int = option(5, "nearest: number of images found for each query.", at_least=1, at_most=100)
    nearest_by: str = option("s", "nearest: code whose Euclidean distance is compared.", choices=("s", "z"))


def checked(arguments: Arguments) -> tuple[FileOptions, ModeOptions]:
    """Returns the options; raises ConfigError for missing images, and for options that the mode does not take."""
    files, modes = arguments.record(FileOptions), arguments.record(ModeOptions)
    expected = IMAGES[files.mode]
    own = ", ".join(f"--{name}" for name in expected)
    for name in sorted({name for names in IMAGES.values() for name in names}):
        value = getattr(files, name)
        if value and name not in expected:
            raise ConfigError(f"--mode={files.mode} takes its images from {own}, not from --{name}.")
        if not value and name in expected and name != "queries":
            raise ConfigError(f"--{name} is missing: --mode={files.mode} takes its images from {own}.")
    if files.one_s_per_folder and files.mode in ("interpolate", "grid"):
        raise ConfigError(f"--one_s_per_folder does not work with --mode={files.mode}; leave it out.")
    endings = ENDINGS.get(files.mode)
    if endings and Path(files.out).suffix.lower() not in endings:
        raise ConfigError(
            f"--mode={files.mode} writes one file: expected an --out that ends in {' or '.join(endings)}, got"
            f" {files.out}."
        )
    return files, modes
