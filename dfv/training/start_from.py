"""The start of a run from the model of a trained one (`--start_from`): options and weights that carry over."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dfv.config.flag_files import flag_text
from dfv.config.paths import given_path
from dfv.config.schema import Config, NetworkConfig
from dfv.training.errors import RunError
from dfv.training.model_files import find_run, load, read_settings
from dfv.training.run_flags import FLAGS_FILE, read_flags

if TYPE_CHECKING:
    from dfv.model.codec import Codec
    from dfv.model.disentangler import Disentangler
    from dfv.model.layers.convolution_stacks import ImageShape

LOGGER = logging.getLogger(__name__)

# What the shapes of the weights depend on; the labels of the adversary belong to the data.
NETWORK = tuple(name for name in NetworkConfig.__dataclass_fields__ if name != "adversary_labels")


def inherited_options(start_from: str, run_dir: Path) -> dict[str, Any]:
    """Returns the options that a run in `run_dir` has, unless others are given, if it starts from a trained one.

    They are those of its own flags if it has begun, since the earlier run may be gone by then.
    Raises RunError or ConfigError if the earlier run cannot be used. Does not import TensorFlow.
    """
    name = _checked_name(start_from, run_dir)
    own = read_flags(run_dir) if (run_dir / FLAGS_FILE).exists() else None
    if own is not None and own.training.start_from == start_from:
        options = own.as_flags()
    else:
        try:
            config, (height, width, channels) = read_settings(name)
        except RunError as error:
            raise RunError(f"--start_from: {error}") from error
        options = config.as_flags() | {"grayscale": channels == 1}
        options |= {"image_size": height} if height == width else {}
    kept = (*NETWORK, "image_size", "grayscale", "fit")
    return {name: options[name] for name in kept}


def find_start(config: Config, run_dir: Path) -> "Codec | None":
    """Returns the model from which a run starts; None if it starts from random weights, or has a checkpoint.

    The model is a Disentangler with the state of the earlier run's last checkpoint. Without checkpoints, as for a
    shipped model, it is the codec for inference, which has no adversaries and may be folded.
    Raises RunError if the earlier run cannot be used or has other networks.
    """
    from dfv.training.checkpoints import last_step

    if not config.training.start_from:
        return None
    name = _checked_name(config.training.start_from, run_dir)
    if last_step(run_dir) is not None:
        return None
    try:
        model = _trained_model(find_run(name), name)
    except RunError as error:
        raise RunError(f"--start_from: {error}") from error
    _check_networks(model, config)
    return model


def _checked_name(start_from: str, run_dir: Path) -> str:
    name = given_path("start_from", start_from)
    if os.path.realpath(name) == os.path.realpath(run_dir):
        raise RunError(
            f"--start_from={start_from} is the folder of the new run too, and its files would be replaced; give another"
            " --run_dir. (To train the same run for longer, omit --start_from and give more --num_steps.)"
        )
    return name


def _trained_model(run_dir: Path, name: str) -> "Codec":
    from dfv.model.disentangler import Disentangler
    from dfv.training.checkpoints import check_finished, last_step, read_newest

    codec = load(name)
    check_finished(run_dir, codec)
    if codec.config.training.pretrain_s_steps:
        raise RunError(f"{name} has a pre-trained s, which is frozen; expected a run with --pretrain_s_steps=0.")
    if last_step(run_dir) is None:
        return codec
    model = Disentangler(codec.config, codec.image_shape, codec.label_sizes)
    model.compile()
    read_newest(model, run_dir)
    return model


def _check_networks(model: "Codec", config: Config) -> None:
    before, now, name = model.config.as_flags(), config.as_flags(), config.training.start_from
    changed = [flag for flag in NETWORK if before[flag] != now[flag]]
    if changed:
        listed = "; ".join(f"--{flag} was {flag_text(before[flag])}, is {flag_text(now[flag])}" for flag in changed)
        raise RunError(f"--start_from={name} has a model with other networks: {listed}. Omit these flags.")
    size = config.data.image_size
    if size and model.image_shape[:2] != (size, size):
        raise _wrong_shape(model, (size, size, model.image_shape[2]), name)


def _wrong_shape(model: "Codec", shape: "ImageShape", name: str) -> RunError:
    return RunError(
        f"--start_from={name} has a model of images of {'x'.join(map(str, model.image_shape))} (height, width,"
        f" channels), and the images of this run have {'x'.join(map(str, shape))}. Omit --image_size and --grayscale;"
        " if the images are grey and the model is not, save one of them in colour (RGB)."
    )


def carry_over(source: "Codec", model: "Disentangler") -> None:
    """Sets the weights of `model` to those of `source`, except for weights that belong to labels.

    Those, which are the adversary's maps of the labels and the last layer of classifiers of the identity, keep their
    initial values, and so do the optimizers, the replay, and players that `source` lacks.
    Raises RunError for images of another shape.
    """
    from dfv.model.latent.folding import copy_unfolded

    name = model.config.training.start_from
    if source.image_shape != model.image_shape:
        raise _wrong_shape(source, model.image_shape, name)
    if source.pca_is_folded:
        copy_unfolded(source, model)
    else:
        for part in ("encoder", "decoder"):
            getattr(model, part).set_weights(getattr(source, part).get_weights())
    players = [player for player in ("adversary", "latent_adversary") if hasattr(model, player)]
    carried = [player for player in players if hasattr(source, player)]
    for player in carried:
        pairs = zip(getattr(source, player).label_free_weights, getattr(model, player).label_free_weights, strict=False)
        for before, now in pairs:
            if before.shape == now.shape:
                now.assign(before.numpy())
    LOGGER.info("Starting from the weights of %s: %s", name, ", ".join(["encoder", "decoder", *carried]))
