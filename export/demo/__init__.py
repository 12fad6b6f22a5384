"""A local page on which a person plays with an exported model."""
