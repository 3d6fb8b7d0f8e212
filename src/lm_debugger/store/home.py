"""Where the cache folder is. Imports nothing heavy, so that the cache can be listed at once."""

import os
from pathlib import Path

import platformdirs

FOLDER_VARIABLE = "LM_DEBUGGER_CACHE"


def folder() -> Path:
    """The cache folder: the variable LM_DEBUGGER_CACHE, else the user's cache folder. It need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("lm-debugger", appauthor=False))
