"""Trains a model from a config, in a run folder."""
