"""Edits: read their text, check them against a model, keep groups of them."""
