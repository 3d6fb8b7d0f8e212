"""Answers drawn: each noun becomes a document, and a document is drawn in the terminal or as HTML."""
