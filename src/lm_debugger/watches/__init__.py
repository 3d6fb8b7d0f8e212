"""Watches: expressions over a run, read, bound to a model, evaluated per layer and per step."""
