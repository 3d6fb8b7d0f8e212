"""Weights that stay on disk: mapped files, the first layers, where each weight lies."""
