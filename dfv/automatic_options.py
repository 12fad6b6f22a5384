"""Options for a folder of images, chosen by what is in it, for at most half an hour of training on two cores.

Chosen by runs on toys of NORB, faces of Extended Yale B and digits of MNIST (docs/experiments/own_images.md).
"""

import logging
import math
from typing import Any, NamedTuple

from dfv.config.conflicts import without_conflicts
from dfv.config.flag_files import flag_text
from dfv.config.schema import Config
from dfv.data.sources.image_folder.survey import Survey

LOGGER = logging.getLogger("dfv.main")

Options = dict[str, Any]

RECIPE: Options = {
    "dataset": "image_folder",
    "backbone": "six_3x3",
    "s_dim": 64,
    "z_dim": 64,
    "batch_size": 16,
    "kl_weight": 0.1,
    "swap_other_weight": 0.002,
    "prior_sample_weight": 0.002,
    "adversary_sees_prior_samples": True,
    "adversary_max_accuracy": 0.9,
    "identity_classifier_weight": 0.02,
    "swap_identity_weight": 0.005,
    "identity_mmd_weight": 0.1,
    "latent_adversary_weight": 0.005,
    "shared_variance": True,
    "pca_dim": 16,
    "flow_steps": 1_500,
    "generator_learning_rate": 4e-3,
    "generator_schedule": "cosine",
    "validation_steps": 250,
    "checkpoint_steps": 500,
}
LARGEST_SIDE, SMALLEST_SIDE = 64, 16
QUANTIZERS = {"codebook_size", "rounding_step"}  # of which a given one stands alone
MANY_IMAGES, MANY_OF_EACH_IDENTITY = 5_000, 500
MANY_IDENTITIES, TOO_MANY_FOR_EMBEDDINGS = 100, 300


class Choice(NamedTuple):
    """Options, and the reason for their values."""

    options: Options
    reason: str


def choose(found: Survey, image_size: int = 0) -> list[Choice]:
    """The options that depend on the folder, with reasons; those for an image size if one is given."""
    size = image_size or min(max(found.side, SMALLEST_SIDE), LARGEST_SIDE)
    return [_size(found, size), _split(found), *_labels(found), _amount(found), *_independence(found), _length(size)]


def _size(found: Survey, size: int) -> Choice:
    num_levels = 3 + max(0, math.ceil(math.log2(size / LARGEST_SIDE)))
    widths = (24, 48, *[96] * (num_levels - 2))
    reason = f"images have {found.side} pixels on their shorter side"
    if found.side > LARGEST_SIDE:
        reason += f"; more than {LARGEST_SIDE} take longer"
    adversary_widths = (8, 16, *[32] * (num_levels - 2))
    return Choice({"image_size": size, "widths": widths, "adversary_widths": adversary_widths}, reason)


def _split(found: Survey) -> Choice:
    if found.num_identities >= MANY_IDENTITIES:
        return Choice({"split_by": "across"}, f"{found.num_identities} identities are enough to hold some out")
    return Choice({"split_by": "within"}, f"{found.num_identities} identities are too few to hold some out")


def _labels(found: Survey) -> list[Choice]:
    if found.num_identities <= TOO_MANY_FOR_EMBEDDINGS:
        return []
    options = {"adversary_labels": "pair", "latent_adversary_labels": "pair"}
    return [Choice(options, f"weights for each of {found.num_identities} identities would be too many")]


def _amount(found: Survey) -> Choice:
    if found.num_images >= MANY_IMAGES:
        options: Options = {"flow_layers": 8, "codebook_size": 512, "rounding_step": 2.0}
        return Choice(options, f"{found.num_images} images can fill a codebook, if z has few distinct values")
    options = {
        "adversary_augmentation": True,
        "kl_weight": 0.5,
        "pca_dim": 8,
        "pca_identity_weight": 4.0,
        "flow_layers": 4,
        "rounding_step": 2.0,
        "keep": "best",
    }
    return Choice(options, f"{found.num_images} images are few: the model may memorize them")


def _independence(found: Survey) -> list[Choice]:
    if found.num_images < MANY_IMAGES or found.fewest_images < MANY_OF_EACH_IDENTITY:
        return []
    options = {"kl_weight": 0.4, "identity_mmd_weight": 1.0, "latent_adversary_weight": 0.05}
    return [Choice(options, f"{found.fewest_images} images of each identity can train stronger independence losses")]


def _length(size: int) -> Choice:
    steps = 4_500 if size > 48 else 6_000 if size > 32 else 9_000
    time = f"more than half an hour at {size} pixels" if size > LARGEST_SIDE else "half an hour or less"
    return Choice({"num_steps": steps}, f"{time}, on two cores")


def automatic_config(given: Options, found: Survey) -> Config:
    """The config of a run on a folder: the given options, else the choices, else the recipe; logs the choices."""
    LOGGER.info(
        "Found %d identities with %d images, at least %d of each. Options for them (give any of them to change it):",
        found.num_identities,
        found.num_images,
        found.fewest_images,
    )
    choices = choose(found, given.get("image_size", 0))
    chosen = RECIPE | {name: value for choice in choices for name, value in choice.options.items()}
    if given.keys() & QUANTIZERS:
        chosen = {name: value for name, value in chosen.items() if name not in QUANTIZERS}
    kept = without_conflicts(chosen, given, Config().as_flags())
    for choice in choices:
        options = {name: value for name, value in choice.options.items() if name in kept and name not in given}
        if options:
            LOGGER.info("  %s: %s", " ".join(f"--{name}={flag_text(v)}" for name, v in options.items()), choice.reason)
    return Config.of(**kept | given)
