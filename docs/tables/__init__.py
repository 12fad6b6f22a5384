"""Writes the tables of README.md and docs/ from results files and from the log of runs."""
