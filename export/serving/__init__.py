"""Files that TensorFlow Serving reads in addition to a SavedModel."""
