"""Warm-up requests, which TensorFlow Serving runs before a version becomes available."""

import logging
from pathlib import Path

import numpy as np
import tensorflow as tf

from dfv.data.image_operations import encode_png
from export.extra_files import EXTRA
from export.signatures import Signature

LOGGER = logging.getLogger("export")

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
# The server reads no file of more than 1000 records; gRPC's own limit bounds one.
LARGEST_REQUEST = 4 * 2**20


def write(saved_model: Path, name: str, signatures: dict[str, Signature]) -> int:
    """Writes a request for each signature and batch size, of up to LARGEST_REQUEST bytes; returns their number.

    Without the `serving` extra, writes none and logs a warning.
    """
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ImportError as error:
        LOGGER.warning(
            "No warm-up requests were written: they need `pip install -e '.[serving]'` in dfv's folder (%s).", error
        )
        return 0
    folder = saved_model / EXTRA
    folder.mkdir(exist_ok=True)
    shape = tuple(signatures["encode"].inputs["image"].shape[1:])
    number = 0
    with tf.io.TFRecordWriter(str(folder / "tf_serving_warmup_requests")) as writer:
        for signature_name, signature in signatures.items():
            for rows in BATCH_SIZES:
                request = predict_pb2.PredictRequest()
                request.model_spec.name, request.model_spec.signature_name = name, signature_name
                for input_name, spec in signature.inputs.items():
                    request.inputs[input_name].CopyFrom(tf.make_tensor_proto(_example(spec, rows, shape)))
                if request.ByteSize() > LARGEST_REQUEST:
                    break
                log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
                writer.write(log.SerializeToString())
                number += 1
    return number


def _example(spec: tf.TensorSpec, rows: int, image_shape: tuple[int, int, int]) -> np.ndarray:
    if spec.dtype == tf.string:
        return np.array([encode_png(np.zeros(image_shape, np.uint8))] * rows)
    return np.zeros((rows, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
