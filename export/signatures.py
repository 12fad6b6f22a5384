"""The signatures of an exported model: stateless functions on named tensors, each row independent of the others."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from dfv.model.codec import Codec
from dfv.model.conversions import to_float, to_uint8
from export.image_bytes import decode_images, encode_images

Outputs = dict[str, tf.Tensor]

# The signature of a request that names none, and the one that it is the same as.
DEFAULT, DEFAULT_IS = "serving_default", "encode"
# Far larger than any code of an encoder, and small enough for the decoder to stay finite.
MAX_CODE = 1e6
MAX_WEIGHT = 10.0


class Signature(NamedTuple):
    """A function on tensors, and the shape and dtype of its arguments; their first dimension is the number of rows."""

    function: Callable[..., Outputs]
    inputs: dict[str, tf.TensorSpec]


def max_rows(image_shape: tuple[int, int, int]) -> int:
    """Returns how many rows a request may have: 4096 up to 32x32 pixels, 1024 at 64x64, and at least 64."""
    return max(64, min(4096, 2**22 // (image_shape[0] * image_shape[1])))


def signatures(model: Codec, float_images: bool = False) -> dict[str, Signature]:
    """Returns every signature by its name. float_images: images are float32 in [0, 1] instead of uint8."""
    shape, networks = model.image_shape, _Networks(model, float_images)
    image = tf.TensorSpec((None, *shape), tf.float32 if float_images else tf.uint8)
    s, z = (tf.TensorSpec((None, size), tf.float32) for size in (model.config.network.s_dim, model.z_dim))
    seed, weight = tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None,), tf.float32)
    encoded = tf.TensorSpec((None,), tf.string)
    offered = {
        "encode": Signature(networks.encode, {"image": image}),
        "decode": Signature(networks.decode, {"s": s, "z": z}),
        "reconstruct": Signature(networks.reconstruct, {"image": image}),
        "swap": Signature(networks.swap, {"image_s": image, "image_z": image}),
        "sample": Signature(networks.sample, {"image_s": image, "seed": seed}),
        "prior": Signature(networks.prior, {"seed": seed}),
        "interpolate": Signature(
            networks.interpolate, {"image_a": image, "image_b": image, "weight_s": weight, "weight_z": weight}
        ),
        "encode_bytes": Signature(networks.encode_bytes, {"image_bytes": encoded}),
        "swap_bytes": Signature(networks.swap_bytes, {"image_s_bytes": encoded, "image_z_bytes": encoded}),
        "sample_bytes": Signature(networks.sample_bytes, {"image_s_bytes": encoded, "seed": seed}),
    }
    return {DEFAULT: offered[DEFAULT_IS], **offered}


def traced(signature: Signature, rows_limit: int) -> Callable[..., Outputs]:
    """Returns the signature as a `tf.function` that checks its inputs.

    Servers do not check shapes; some wrong ones would mix rows, or crash the process in a kernel.
    """
    names = list(signature.inputs)

    def function(*arguments: tf.Tensor) -> Outputs:
        return signature.function(*_checked(dict(zip(names, arguments, strict=True)), signature.inputs, rows_limit))

    specs = [tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in signature.inputs.items()]
    return tf.function(function, input_signature=specs, autograph=False)  # nothing to convert, and it takes a while


def _checked(inputs: dict[str, tf.Tensor], specs: dict[str, tf.TensorSpec], rows_limit: int) -> list[tf.Tensor]:
    """Returns the inputs; fails if their shapes are not those declared, or differ in the number of rows."""
    shaped = [tf.ensure_shape(value, specs[name].shape) for name, value in inputs.items()]
    rows = tf.stack([tf.shape(value)[0] for value in shaped])
    same = f"expected as many rows in each of {', '.join(inputs)}; received"
    few = f"expected at most {rows_limit} rows in a request; received"
    checks = [
        tf.debugging.Assert(tf.reduce_all(rows == rows[0]), [same, rows]),
        tf.debugging.Assert(rows[0] <= rows_limit, [few, rows]),
    ]
    with tf.control_dependencies(checks):
        return [tf.identity(value) for value in shaped]


def _within(name: str, values: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Returns the values; fails if one is not a number from low to high."""
    received = [tf.as_string(limit(values)) for limit in (tf.reduce_min, tf.reduce_max)]
    inside = tf.reduce_all((values >= low) & (values <= high))
    text = f"expected {name} from {low:g} to {high:g}; received (lowest, highest)"
    with tf.control_dependencies([tf.debugging.Assert(inside, [text, *received])]):
        return tf.identity(values)


class _Networks:
    """The functions of the signatures: encoder and decoder with the forms of images that requests have."""

    def __init__(self, model: Codec, float_images: bool):
        self._model, self._float_images = model, float_images
        # A function of its own, so that the graph of decoding is traced and saved once for all signatures.
        data = model.config.data
        whole_pixels = data.dataset == "image_folder"
        self._decoded = tf.function(
            lambda encoded: decode_images(encoded, model.image_shape, data.fit_in_training, whole_pixels),
            input_signature=[tf.TensorSpec((None,), tf.string)],
            autograph=False,
        )

    def _pixels(self, image: tf.Tensor) -> tf.Tensor:
        """Returns images as the networks' float32 in [-1, 1]."""
        if image.dtype == tf.uint8:
            return to_float(image)
        return 2.0 * _within("pixels", image, 0.0, 1.0) - 1.0

    def _image(self, pixels: tf.Tensor) -> tf.Tensor:
        return (pixels + 1.0) / 2.0 if self._float_images else to_uint8(pixels)

    def encode(self, image: tf.Tensor) -> Outputs:
        s, (mean, log_var) = self._model.encoded(self._pixels(image))
        return {"s": s, "z_mean": mean, "z_log_var": log_var}

    def decode(self, s: tf.Tensor, z: tf.Tensor) -> Outputs:
        s, z = (_within("codes", code, -MAX_CODE, MAX_CODE) for code in (s, z))
        return {"image": self._image(self._model.decoded(s, z))}

    def reconstruct(self, image: tf.Tensor) -> Outputs:
        return {"image": self._image(self._model(self._pixels(image)))}

    def swap(self, image_s: tf.Tensor, image_z: tf.Tensor) -> Outputs:
        return {"image": self._image(self._model.swapped(self._pixels(image_s), self._pixels(image_z)))}

    def sample(self, image_s: tf.Tensor, seed: tf.Tensor) -> Outputs:
        return {"image": self._image(self._model.sampled(self._pixels(image_s), seed))}

    def prior(self, seed: tf.Tensor) -> Outputs:
        return {"z": self._model.prior_samples(seed)}

    def interpolate(self, image_a: tf.Tensor, image_b: tf.Tensor, weight_s: tf.Tensor, weight_z: tf.Tensor) -> Outputs:
        weights = (_within("weights", weight, -MAX_WEIGHT, MAX_WEIGHT) for weight in (weight_s, weight_z))
        pixels = self._model.interpolated(self._pixels(image_a), self._pixels(image_b), *weights)
        return {"image": self._image(pixels)}

    def encode_bytes(self, image_bytes: tf.Tensor) -> Outputs:
        return self.encode(self._decoded(image_bytes))

    def swap_bytes(self, image_s_bytes: tf.Tensor, image_z_bytes: tf.Tensor) -> Outputs:
        decoded = (self._decoded(encoded) for encoded in (image_s_bytes, image_z_bytes))
        pixels = self._model.swapped(*map(to_float, decoded))
        return {"image_bytes": encode_images(to_uint8(pixels))}

    def sample_bytes(self, image_s_bytes: tf.Tensor, seed: tf.Tensor) -> Outputs:
        pixels = self._model.sampled(to_float(self._decoded(image_s_bytes)), seed)
        return {"image_bytes": encode_images(to_uint8(pixels))}
