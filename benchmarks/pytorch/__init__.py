"""The same networks and step in PyTorch, to compare times with."""
