"""From a residual stream, or a vector in it, to the vocabulary."""
