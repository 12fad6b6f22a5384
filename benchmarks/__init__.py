"""What is fast and how fast. Set before TensorFlow is imported: a quiet log, and what dfv sets."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import dfv  # noqa: E402, F401
