"""Runs signatures of a SavedModel, with TensorFlow and without this package.

    python signature_runner.py MODEL INPUTS.npz OUTPUTS.npz

Arrays are named SIGNATURE/NAME. Every signature for which there are inputs is run.
"""

import sys

import numpy as np
import tensorflow as tf


def main(model: str, inputs: str, outputs: str) -> None:
    """Writes the outputs of each signature that `inputs` names."""
    signatures = tf.saved_model.load(model).signatures
    arguments: dict[str, dict[str, tf.Tensor]] = {}
    for name, values in np.load(inputs).items():
        signature, argument = name.split("/")
        arguments.setdefault(signature, {})[argument] = tf.constant(values)
    results = {
        f"{signature}/{name}": value.numpy()
        for signature, given in arguments.items()
        for name, value in signatures[signature](**given).items()
    }
    # NumPy would pickle encoded images as objects.
    plain = {name: value.astype("S") if value.dtype == object else value for name, value in results.items()}
    np.savez(outputs, **plain)


if __name__ == "__main__":
    main(*sys.argv[1:])
