"""Lenses of a loaded model: fitted, compared, and told from those of other models."""
