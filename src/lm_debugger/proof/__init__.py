"""Proves an anatomy on the loaded model and reports on it."""
