"""Data sources: one module or package each, with a function `load(config)`."""
