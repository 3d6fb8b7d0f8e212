"""The text that a safetensors file carries, read without the libraries that its arrays take."""

import json
from typing import BinaryIO

_MOST = 100 << 20  # bytes; safetensors itself accepts no longer header


def metadata(file: BinaryIO) -> dict[str, str]:
    """The metadata of an open safetensors file, from its beginning.

    Raises:
        ValueError: if it is no such file.
    """
    length = int.from_bytes(file.read(8), "little")
    if length > _MOST:
        raise ValueError("The header is too long.")
    header = json.loads(file.read(length))
    found = header.get("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(found, dict):
        raise ValueError("The header is no object.")  # noqa: TRY004 (as for any other text)
    return {str(key): str(value) for key, value in found.items()}
