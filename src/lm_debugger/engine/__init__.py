"""The only code that runs the network: hooks, observed forwards, generation."""
