"""What is kept between runs: the cache, listed and removed, and the history of the terminal session."""

from pathlib import Path

from lm_debugger.records.direction import DirectionListing
from lm_debugger.records.lens import LensListing
from lm_debugger.store.entries import listing, remove, remove_all
from lm_debugger.store.files import data_folder, private_file, private_folder

__all__ = ["directions", "history_file", "lenses", "listing", "remove", "remove_all"]


def lenses() -> LensListing:
    """The lenses of all models."""
    from lm_debugger.lenses import kept  # the rest needs no arrays

    return LensListing(lenses=tuple(kept.listing()))


def directions() -> DirectionListing:
    """The directions of the residual stream that are kept, of all models."""
    from lm_debugger.steering import kept  # as above

    return kept.listing()


def history_file() -> Path:
    """Where the commands of terminal sessions are kept; only the user can read it."""
    file = private_folder(data_folder()) / "debug-history"
    private_file(file)
    return file
