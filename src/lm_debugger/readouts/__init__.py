"""Views of a run: layers, grid, trajectory, comparison, writers."""
