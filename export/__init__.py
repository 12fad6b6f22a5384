"""Exports a trained dfv model for TensorFlow Serving and other runtimes, and provides clients for TensorFlow Serving.

Public names are attributes of this package and are imported on first use.
"""

from typing import TYPE_CHECKING

from dfv.lazy_attributes import lazy_attributes

if TYPE_CHECKING:
    from export.client import GrpcClient, RestClient, ServingError
    from export.runtimes import export_networks
    from export.versions import export_model

__all__ = ["ExportError", "GrpcClient", "RestClient", "ServingError", "export_model", "export_networks"]


class ExportError(RuntimeError):
    """An exported model cannot be written or read; the message says what to do."""


if not TYPE_CHECKING:  # so that type checkers report unknown names
    __getattr__, __dir__ = lazy_attributes(
        __name__,
        {
            "GrpcClient": "export.client",
            "RestClient": "export.client",
            "ServingError": "export.client",
            "export_model": "export.versions",
            "export_networks": "export.runtimes",
        },
    )
