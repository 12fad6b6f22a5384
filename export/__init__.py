"""export: writes a trained dfv model as a SavedModel, with what TensorFlow Serving needs beside it. See README.md."""


class ExportError(RuntimeError):
    """An export that cannot be made or read as asked; the message says what to do."""
