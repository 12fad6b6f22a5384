"""Where images come from: a module or folder for each kind of source, each with a `load(config)`."""
