"""The options of a run in groups by what they affect; `Config` has one of each."""
