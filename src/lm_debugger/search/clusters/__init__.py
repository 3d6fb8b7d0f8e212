"""Clusters of value vectors: vectors that point the same way, found over the weights of a whole model."""
