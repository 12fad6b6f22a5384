"""The client for TensorFlow Serving's gRPC API; needs the `serving` extra."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from export.client.base import PREDICT_METHOD, Arrays, Client, ServingError, SignatureTypes, UnavailableError
from export.client.loopback import is_loopback


class GrpcClient(Client):
    """Sends requests to a gRPC address, "HOST:8500".

    model, version, label, timeout_s, retries: as for `RestClient`.
    Raises ValueError for another address, and for both version and label; ServingError without the extra `serving`.
    """

    def __init__(self, address: str, model: str, **options: Any):
        if "/" in address:
            raise ValueError(f'address: expected "HOST:PORT", without "http://"; received {address!r}.')
        super().__init__(address, model, **options)
        try:
            import grpc
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            message = (
                f"gRPC needs `pip install -e '.[serving]'` in dfv's folder ({error}); RestClient does not need it."
            )
            raise ServingError(message) from error
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        proxy = ("grpc.enable_http_proxy", 0 if is_loopback(address.rpartition(":")[0].strip("[]")) else 1)
        self._channel = grpc.insecure_channel(address, options=[*unlimited, proxy])
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def _name(self, spec: Any) -> None:
        spec.name = self.model
        if self.version is not None:
            spec.version.value = self.version
        elif self.label:
            spec.version_label = self.label

    def _predict(self, signature: str, inputs: Arrays, types: SignatureTypes, timeout_s: float) -> Arrays:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        self._name(request.model_spec)
        request.model_spec.signature_name = signature
        for name, values in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
        answer = self._ask(self._stub.Predict, request, timeout_s)
        return {name: tf.make_ndarray(answer.outputs[name]) for name in types.outputs}

    def _metadata(self, timeout_s: float) -> dict[str, SignatureTypes]:
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._name(request.model_spec)
        answer = self._ask(self._stub.GetModelMetadata, request, timeout_s)
        found = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)
        return {
            name: SignatureTypes(_dtypes(signature.inputs), _dtypes(signature.outputs))
            for name, signature in found.signature_def.items()
            if signature.method_name == PREDICT_METHOD
        }

    def _ask(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Any:
        import grpc

        try:
            return method(request, timeout=timeout_s)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise UnavailableError(error.details()) from error
            raise self._refusal(error.code().name, error.details()) from error


def _dtypes(side: Mapping[str, Any]) -> dict[str, np.dtype]:
    import tensorflow as tf

    return {name: np.dtype(tf.as_dtype(info.dtype).as_numpy_dtype) for name, info in side.items()}
