"""Applies a trained model to image files and writes files: `python -m dfv.apply`."""
