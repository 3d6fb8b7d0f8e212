"""Changing what a model does, on purpose: fixes, their side effects, and an edit's whole range."""
