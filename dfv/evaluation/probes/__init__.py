"""Fresh classifiers that predict labels from codes."""
