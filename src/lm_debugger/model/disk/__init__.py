"""Weights that are too large to load: searched where they lie, in a folder of safetensors files."""
