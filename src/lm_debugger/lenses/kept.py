"""Lenses that are kept in the cache, by model and name: written, read, listed. Knows no network."""

from collections.abc import Mapping

from pydantic import ValidationError
from torch import Tensor

from lm_debugger.lenses.lens import FittedLens
from lm_debugger.records.cache import CacheKind
from lm_debugger.records.lens import LensSummary, check_lens_name
from lm_debugger.store import cache
from lm_debugger.store.entries import texts

KIND: CacheKind = "lenses"
VERSION = 1
_MATRIX, _OFFSET = "J", "b"


def write(lens: FittedLens, fingerprint: str) -> None:
    """Keep a lens for a model, in the place of an earlier one of its name.

    Args:
        fingerprint: of the model. The lens itself may not know one.
    """
    check_lens_name(lens.name)
    cache.write(KIND, _key(fingerprint, lens.name), VERSION, arrays(lens), lens.about.model_dump_json())


def read(fingerprint: str, name: str) -> FittedLens | None:
    """The lens of a name that is kept for a model, or None."""
    entry = cache.read(KIND, _key(fingerprint, name), VERSION)
    if entry is None:
        return None
    about = _about(entry.text)
    return None if about is None else from_arrays(about, entry.arrays)


def listing(fingerprint: str | None = None) -> list[LensSummary]:
    """What is known of all lenses that are kept, of all models or of one, the last used first. Reads no matrix."""
    found = []
    for key, text in texts(KIND, VERSION):
        about = _about(text)
        if about is not None and (fingerprint is None or key.startswith(f"{fingerprint}-")):
            found.append(about)
    return found


def arrays(lens: FittedLens) -> dict[str, Tensor]:
    """The lens's numbers by name: `J.<layer>`, `b.<layer>`."""
    return {
        **{f"{_MATRIX}.{layer}": matrix for layer, matrix in lens.matrices.items()},
        **{f"{_OFFSET}.{layer}": offset for layer, offset in lens.offsets.items()},
    }


def from_arrays(about: LensSummary, found: Mapping[str, Tensor]) -> FittedLens | None:
    """The lens of such numbers, or None if they are not those of `about`."""
    square, row = (about.hidden, about.hidden), (about.hidden,)
    matrices = {layer: found.get(f"{_MATRIX}.{layer}") for layer in about.layers}
    offsets = {layer: found[f"{_OFFSET}.{layer}"] for layer in about.layers if f"{_OFFSET}.{layer}" in found}
    whole = {layer: matrix for layer, matrix in matrices.items() if matrix is not None and matrix.shape == square}
    if len(whole) < len(matrices) or any(offset.shape != row for offset in offsets.values()):
        return None
    return FittedLens(about, whole, offsets)


def _key(fingerprint: str, name: str) -> str:
    return f"{fingerprint}-{name}"


def _about(text: str) -> LensSummary | None:
    try:
        return LensSummary.model_validate_json(text)
    except ValidationError:
        return None
