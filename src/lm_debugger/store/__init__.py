"""What outlives a process: the cache of arrays."""
