"""Edits of coefficients: read their text, check them against a model, apply them in a forward."""
