"""Measurements of codes and models, not of speed: images for s, remedies for leakage, codes of known leakage."""
