"""Files that TensorFlow Serving reads beside a SavedModel."""
