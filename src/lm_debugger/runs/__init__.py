"""A prompt run once and kept; continuations."""
