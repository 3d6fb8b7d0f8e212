"""The only room that knows torch modules: load, examine, hooks, experts, tokens."""
