"""Measures how fast the debugger is against the plain model, as ratios within one run: `make bench`."""
