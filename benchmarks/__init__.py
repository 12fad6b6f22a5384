import dfv  # noqa: F401  Before TensorFlow: it turns oneDNN on.
