"""Clients of a served model, over REST and gRPC."""

from export.client.base import Client, ServingError
from export.client.clients import GrpcClient, RestClient

__all__ = ["Client", "GrpcClient", "RestClient", "ServingError"]
