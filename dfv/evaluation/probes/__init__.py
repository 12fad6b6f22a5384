"""Probes: classifiers trained to predict labels from codes, which measure what information a code contains."""
