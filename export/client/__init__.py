"""Clients for an exported model behind TensorFlow Serving, over REST or gRPC.

client = RestClient("http://127.0.0.1:8501", "yaleb", label="stable")
swapped = client.predict("swap", image_s=images, image_z=others)["image"]
"""

from export.client.base import Client, ServingError
from export.client.grpc import GrpcClient
from export.client.rest import RestClient

__all__ = ["Client", "GrpcClient", "RestClient", "ServingError"]
