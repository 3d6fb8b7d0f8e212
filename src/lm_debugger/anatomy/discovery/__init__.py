"""Experiments that find the parts of a model."""
