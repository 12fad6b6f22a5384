"""Layers that compute what Keras has, faster on a CPU."""
