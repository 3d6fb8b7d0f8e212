"""Directions of the residual stream as edits name them: their numbers in one model, files, names."""
