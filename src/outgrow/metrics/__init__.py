"""Scores, intervals, PGR and comparisons: pure functions of arrays."""
