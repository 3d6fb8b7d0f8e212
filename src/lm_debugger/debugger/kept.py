"""What is kept in the cache, listed and removed: the door for the command line and for Python."""

from lm_debugger.store.entries import listing, remove, remove_all

__all__ = ["listing", "remove", "remove_all"]
