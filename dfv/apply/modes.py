"""What each mode of the program writes."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from PIL import Image

from dfv.apply.encoding import batch_size, decode_file, encode_files
from dfv.apply.image_files import ImageFiles
from dfv.apply.nearest import nearest
from dfv.apply.output import flat, without_suffixes
from dfv.apply.tables import write_csv_codes, write_npz
from dfv.apply.task import Task
from dfv.data.dataset import DataError
from dfv.data.sources.image_folder.files import in_turn
from dfv.evaluation.sampling import batches
from dfv.model.image_grids import arrange_swaps, enlarged

FRAME_MS, ANIMATION_SIDE = 80, 256


def encode(task: Task) -> str:
    """Writes the table of codes."""
    encoded = task.encoded("images")
    write = write_npz if task.out.path.suffix.lower() == ".npz" else write_csv_codes
    with task.out.opened() as file:
        write(file, encoded)
    return f"the codes of {len(encoded.s):,} images"


def reconstruct(task: Task) -> str:
    """Writes NAME.png for each image."""
    encoded = task.encoded("images")
    rows = np.arange(len(encoded.s))
    task.write_decoded(encoded.s, encoded.z_mean, rows, rows, without_suffixes(encoded.files.names))
    return f"{len(rows):,} reconstructions"


def swap(task: Task) -> str:
    """Writes S/Z.png for each s source S and each z source Z."""
    s_names, s = task.s_sources()
    z_sources = task.encoded("images_z")
    z_names = without_suffixes(z_sources.files.names)
    s_rows, z_rows = np.divmod(np.arange(len(s) * len(z_names)), len(z_names))
    names = (f"{s_name}/{z_name}" for s_name in flat(s_names) for z_name in z_names)
    task.write_decoded(s, z_sources.z_mean, s_rows, z_rows, names)
    return f"{len(s_rows):,} swaps"


def sample(task: Task) -> str:
    """Writes S/seed_N.png for each s source S and each seed."""
    names, s = task.s_sources()
    seeds = task.modes.seed + np.arange(task.modes.num_samples)
    z = task.model.prior_samples(tf.constant(seeds)).numpy()
    s_rows, z_rows = np.divmod(np.arange(len(s) * len(z)), len(z))
    task.write_decoded(s, z, s_rows, z_rows, (f"{name}/seed_{seed}" for name in names for seed in seeds))
    return f"{len(s_rows):,} samples"


def interpolate(task: Task) -> str:
    """Writes frame_000.png and so on, and interpolation.gif or .webp."""
    modes = task.modes
    a, b = task.one_encoded("image_a"), task.one_encoded("image_b")
    weights = np.linspace(0, 1, modes.num_frames, dtype=np.float32)[:, None]
    s = a.s + (weights if modes.interpolate != "z" else 0) * (b.s - a.s)
    z = a.z_mean + (weights if modes.interpolate != "s" else 0) * (b.z_mean - a.z_mean)
    s, z = (np.broadcast_to(code, (len(weights), code.shape[1])) for code in (s, z))
    parts = batches(len(weights), batch_size(task.model))
    frames = np.concatenate([task.model.decode(s[rows], z[rows]) for rows in parts])
    for number, frame in enumerate(frames):
        task.out.write_png(f"frame_{number:03}.png", frame)
    if modes.animation != "none":
        first, *rest = [Image.fromarray(enlarged(frame, ANIMATION_SIDE)) for frame in frames]
        with task.out.opened(f"interpolation.{modes.animation}") as file:
            order = [*rest, *rest[-2::-1]]
            first.save(
                file, modes.animation, save_all=True, append_images=order, duration=FRAME_MS, loop=0, lossless=True
            )
    return f"{len(frames)} frames"


def grid(task: Task) -> str:
    """Writes the grid of all swaps between the first images."""
    files = task.images["images"]
    chosen = ImageFiles(files.folder, in_turn(files.names)[: task.modes.num_on_grid])
    encoded = encode_files(task.model, chosen, task.options.skip_bad_images)
    number = len(encoded.s)
    if number < 2:
        raise DataError(f"--images={task.options.images}: a grid needs at least two images; got {number}.")
    images = np.stack([decode_file(task.model, chosen.folder / name) for name in encoded.files.names])
    swaps = task.model.decode(np.tile(encoded.s, (number, 1)), encoded.z_mean.repeat(number, axis=0))
    task.out.write_png("", arrange_swaps(images, swaps))
    return f"a grid of {number} images"


# Each returns what it wrote, in words.
MODES: dict[str, Callable[[Task], str]] = {
    "encode": encode,
    "reconstruct": reconstruct,
    "swap": swap,
    "sample": sample,
    "interpolate": interpolate,
    "grid": grid,
    "nearest": nearest,
}
