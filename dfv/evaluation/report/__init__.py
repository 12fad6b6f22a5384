"""Results for people: the report, tables, comparisons of runs."""
