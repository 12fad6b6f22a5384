"""Losses, one file each: pure functions of logits or codes that return one number per example; a step averages them.

A loss that compares the codes of a batch with each other returns one number for the global batch.
"""
