"""Run a prompt once and read it out: lens, sub-updates, generation, comparison."""
