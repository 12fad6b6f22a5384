"""From a config and a run folder to a trained model."""
