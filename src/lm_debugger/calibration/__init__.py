"""Measures the range of every coefficient: what `on` means."""
