"""A debugging session: step, break, watch, travel. One implementation of each verb, whoever asks."""
