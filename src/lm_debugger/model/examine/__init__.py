"""Find a model's anatomy by running it, then prove it. No table of architectures."""
