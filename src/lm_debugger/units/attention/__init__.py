"""Attention patterns: where heads look, read through transformers' attention interface."""
