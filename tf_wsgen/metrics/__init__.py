"""Measures of poses and of sets of hypotheses, as pure batched functions."""
