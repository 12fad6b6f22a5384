"""Applies a trained model to image files, without any Python.

    python -m dfv.apply --mode=swap --run_dir=quickstart --images_s=anna.jpg --images_z=photos --out=swaps
    python -m dfv.apply --mode=encode --run_dir=runs/mine --images=photos --out=codes.csv

Modes, and what they write to --out:
  encode       a table of the codes of each image: path, s, mean and log-variance of z. OUT is a .npz or .csv file.
  reconstruct  OUT/NAME.png for each image.
  swap         OUT/S/Z.png with the s of each image S of --images_s and the z of each image Z of --images_z.
  sample       OUT/S/seed_N.png with the s of each image S of --images_s and random z, the same for each image.
  interpolate  OUT/frame_000.png, ... from --image_a to --image_b, and OUT/interpolation.gif.
  grid         all swaps of a few images: s from the top image, z from the left one. OUT is a .png file.
  nearest      OUT/nearest.csv: the images with the nearest codes. OUT/nearest.png: those of the first queries.

Images may have any common format and size; they are rotated, and fitted into the model's size as in training (--fit of
dfv.main). Folders are searched with their subfolders. Images are written as PNG, in the size of the model's images and
under the name of their source, with its subfolder. OUT must be new, or an empty folder, unless --overwrite is given.
"""

import logging
import sys
from pathlib import Path

from dfv.apply.image_files import find_images
from dfv.apply.options import ENDINGS, IMAGES, FileOptions, ModeOptions, checked
from dfv.apply.output import Output, OutputError
from dfv.config.command_line import Arguments
from dfv.config.fields import ConfigError
from dfv.data.dataset import DataError
from dfv.program import Program
from dfv.tensorflow_log import import_tensorflow
from dfv.training.errors import RunError
from dfv.training.model_files import find_model, load

LOGGER = logging.getLogger("dfv.apply")


def run(arguments: Arguments) -> None:
    """Does what --mode says; raises ConfigError, DataError, RunError or OutputError."""
    options, modes = checked(arguments)
    run_dir = find_model(options.run_dir).parent
    flags = [name for name in IMAGES[options.mode] if getattr(options, name)]
    images = {flag: find_images(flag, getattr(options, flag)) for flag in flags}
    out = Output(Path(options.out), options.mode in ENDINGS, options.overwrite)
    if options.mode != "encode":
        for flag in flags:
            out.keep_apart(flag, getattr(options, flag))
    counts = ", ".join(f"{len(files.names):,} of --{flag}" for flag, files in images.items())
    LOGGER.info("Applying %s to image files (%s), writing to %s", run_dir, counts, out.path)
    import_tensorflow()
    from dfv.apply.modes import MODES
    from dfv.apply.task import Task
    from dfv.training.checkpoints import check_finished

    model = load(options.run_dir)
    check_finished(run_dir, model)
    written = MODES[options.mode](Task(model, options, modes, images, out))
    print(f"Wrote {written} to {out.path}")


PROGRAM = Program(
    module="dfv.apply",
    name="apply",
    description=__doc__ or "",
    groups={"Files": FileOptions, "Modes": ModeOptions},
    run=run,
    errors=(ConfigError, DataError, RunError, OutputError),
    stopped="stopped. The images written so far are complete.",
)
main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
