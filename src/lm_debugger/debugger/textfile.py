"""A text file of the user's, read to be measured over."""

import os
from pathlib import Path

from lm_debugger.errors import OptionError


def named_text(path: str | os.PathLike[str]) -> tuple[str, str]:
    """The name and the content of a text file.

    Raises:
        OptionError: if it cannot be read as UTF-8.
    """
    path = Path(path)
    try:
        return path.name, path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise OptionError(f"There is no file {path}.", "Give the path of a text file.") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise OptionError(f"{path} cannot be read as text: {failure}.", "Give the path of a UTF-8 text file.") from None
