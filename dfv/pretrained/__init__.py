"""Trained models that come with the package, each in a folder like that of a run; `dfv.load(name)` loads one."""
