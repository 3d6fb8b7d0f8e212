"""The parts of a model: found by experiment, as data, with their weights."""
