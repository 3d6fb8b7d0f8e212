"""Frozen data that results are made of: Python values, JSON and wire types at once. No torch."""
