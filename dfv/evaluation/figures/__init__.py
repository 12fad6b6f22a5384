"""Figures of a model's outputs and codes."""
