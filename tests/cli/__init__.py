"""The command line, through its own entrance."""
