"""Attention heads, `L12H3`: slices of the input of the token mixer's output projection."""
