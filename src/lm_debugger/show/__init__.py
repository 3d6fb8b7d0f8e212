"""Answers drawn for a terminal and a notebook."""
