"""Layers that compute the same as Keras' layers, faster on a CPU; the precision and seed that layers are built with."""
