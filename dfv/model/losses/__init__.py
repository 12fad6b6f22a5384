"""Losses, a file each: pure functions, one number per example, logits in; a step takes their means.

A loss that compares the codes of a batch with each other gives one number for the global batch.
"""
