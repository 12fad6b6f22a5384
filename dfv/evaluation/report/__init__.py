"""Presentation of results: the report, tables, comparisons of runs."""
