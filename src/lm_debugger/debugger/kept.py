"""What is kept in the cache, listed and removed: the door for the command line and for Python."""

from lm_debugger.records.lens import LensListing
from lm_debugger.store.entries import listing, remove, remove_all

__all__ = ["lenses", "listing", "remove", "remove_all"]


def lenses() -> LensListing:
    """The lenses of all models."""
    from lm_debugger.lenses import kept  # the rest needs no arrays

    return LensListing(lenses=tuple(kept.listing()))
