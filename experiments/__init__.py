"""Experiments that the documentation reports; each is a command that prints its numbers."""
