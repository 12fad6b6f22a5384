"""Outputs that must stay when the code is reorganised: of two models of 0.1.0, and of three training steps.

    python -m tests.golden.outputs

writes them anew beside this file; do that only for a change that is meant to alter them, and say why in its commit.
"""

from functools import cache
from pathlib import Path

import numpy as np
import tensorflow as tf

import dfv
from dfv.data.sources.toy_sprites import characters, poses, render

HERE = Path(__file__).parent
# The model of 0.1.0's quick start has a PCA that is not folded yet, and flags with their earlier names.
MODELS = {name: str(HERE / f"{name}_0_1_0") for name in ("quickstart", "mnist")}
# The stored terms' names, from before losses were named as the field names them.
STORED_TERMS = {
    "identity_mmd": "prior_per_identity",
    "mean_kernel": "kernel",
    "latent_adversary": "z_classifier",
    "latent_adversary_on_mean": "z_classifier_on_mean",
    "latent_adversary_on_sample": "z_classifier_on_sample",
}
# Every loss is on, and every branch of the step that a loss can take.
EVERY_TERM = {
    "dataset": "arrays",
    "batch_size": 6,
    "widths": (4, 6, 8),
    "adversary_widths": (4, 6, 8),
    "s_dim": 5,
    "z_dim": 7,
    "shared_variance": True,
    "adversary_labels": "attributes",
    "reconstruct_all": True,
    "adversary_sees_prior_samples": True,
    "real_label": 0.95,
    "adversary_max_accuracy": 0.9,
    "identity_mmd_weight": 0.5,
    "mean_kernel_weight": 0.3,
    "latent_adversary_weight": 0.02,
    "num_latent_adversary_updates": 2,
    "num_replay_batches": 2,
    "generator_schedule": "cosine",
    "num_steps": 3,
    "seed": 3,
}


def images_for(image_shape: tuple[int, int, int]) -> np.ndarray:
    """Six images [6, H, W, C] uint8: toy characters, or smooth strokes where the model is grey."""
    height, width, channels = image_shape
    if channels == 3:
        return render(characters("test", np.arange(6)), poses(np.arange(6), 1), height)
    rng, rows, columns = np.random.default_rng(0), np.arange(height)[:, None], np.arange(width)
    strokes = np.zeros((6, height, width))
    for image in strokes:
        for centre in rng.uniform(0.3, 0.7, (5, 2)):
            image += np.exp(-((rows / height - centre[0]) ** 2 + (columns / width - centre[1]) ** 2) / 0.008)
    return (255 * np.clip(strokes, 0, 1)).astype(np.uint8)[..., None]


@cache
def load(name: str) -> dfv.Codec:
    """The model, loaded once."""
    return dfv.load(MODELS[name])


def of_model(name: str) -> dict[str, np.ndarray]:
    """Codes, swaps, samples, interpolations and reconstructions of a fixed batch."""
    model = load(name)
    images = images_for(model.image_shape)
    other, weights = images[::-1], np.linspace(0, 1, len(images), dtype=np.float32)
    codes = model.encode(images)
    return {
        "s": codes.s,
        "z_mean": codes.z.mean,
        "z_log_var": codes.z.log_var,
        "swap": model.swap(images, other),
        "sample": model.sample(images, seed=11),
        "interpolate": model.interpolate(images, other, weights, weights[::-1]),
        "reconstruct": model.reconstruct(images),
    }


def of_training_steps() -> dict[str, np.ndarray]:
    """Three steps with every term on: the running means of the terms after each, and all that the generator learnt."""
    config, shape = dfv.Config.of(**EVERY_TERM), (12, 10, 3)
    model = dfv.Disentangler(config, shape, (4, 3, 2))
    model.compile()
    step, rng = tf.function(model.train_step, autograph=False), np.random.default_rng(1)
    outputs = {}
    for number in range(3):
        batch: dict[str, np.ndarray] = {
            name: rng.integers(0, 256, (6, *shape)).astype(np.uint8) for name in ("x1", "x1_same", "x2")
        }
        for name in ("labels1", "labels2"):
            batch[name] = rng.integers(0, (4, 3, 2), (6, 3)).astype(np.int32)
        terms = step({name: tf.constant(values) for name, values in batch.items()})
        outputs |= {f"step{number}_{STORED_TERMS.get(name, name)}": np.float32(value) for name, value in terms.items()}
    for player in ("encoder", "decoder"):
        weights = getattr(model, player).get_weights()
        outputs[player] = np.concatenate([np.ravel(weight) for weight in weights])
    return outputs


def read(name: str) -> dict[str, np.ndarray]:
    with np.load(HERE / f"{name}.npz") as file:
        return dict(file)


if __name__ == "__main__":
    for model_name in MODELS:
        np.savez_compressed(HERE / f"{model_name}.npz", **of_model(model_name))
    np.savez_compressed(HERE / "training_steps.npz", **of_training_steps())
