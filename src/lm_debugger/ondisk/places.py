"""Finds by their values where on disk the weights of a layer lie, and so where those of all layers of its kind do.

transformers renames, transposes and packs weights when it loads them. No table says how: a tensor that holds exactly
the loaded weights shows it. Its name, with the layer's and the expert's number made variable, must then name a tensor
of the same shape in every layer of the kind, and hold the loaded weights in every layer that is loaded.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from lm_debugger.errors import ModelLoadError, UnsupportedModelError
from lm_debugger.ondisk.files import TensorFiles

_PIECE = 1 << 24  # numbers compared at a time

# The loaded weights of a layer (and of an expert).
Loaded = Callable[[int, int | None], Tensor]


@dataclass(frozen=True)
class WeightAt:
    """Where weights lie in the files.

    Args:
        pieces: the name of one tensor, split at its dots.
        layer: which piece is the number of the layer.
        expert: which piece is the number of the expert, or None.
        packed: whether the tensor holds all experts.
        transposed: whether it is transposed.
        dtype: of the loaded weights.
    """

    pieces: tuple[str, ...]
    layer: int
    expert: int | None
    packed: bool
    transposed: bool
    dtype: torch.dtype

    def name(self, layer: int, expert: int | None) -> str:
        """The tensor's name."""
        pieces = list(self.pieces)
        pieces[self.layer] = str(layer)
        if self.expert is not None:
            pieces[self.expert] = str(expert)
        return ".".join(pieces)

    def read(self, files: TensorFiles, layer: int, expert: int | None) -> Tensor:
        """The weights, a view of the file; a copy only where loading would round them to a smaller dtype."""
        tensor = files.tensor(self.name(layer, expert))
        if self.packed:
            assert expert is not None
            tensor = tensor[expert]
        if self.transposed:
            tensor = tensor.T
        exact = torch.promote_types(tensor.dtype, self.dtype) == self.dtype
        return tensor if exact else tensor.to(self.dtype)


def find(
    files: TensorFiles, own: str, loaded: Loaded, layers: Mapping[int, bool], experts: int, model: str
) -> WeightAt:
    """Where the weights of a group or of a norm lie.

    Args:
        files: the files.
        own: the path of the parameter in the model. A tensor of that name is tried first.
        loaded: gives the loaded weights of a layer (and expert).
        layers: the layers of the kind, and whether each is loaded; the first is.
        experts: number of experts, or 0.
        model: what errors call the model.

    Raises:
        UnsupportedModelError: if no tensor holds the weights.
        ModelLoadError: if tensors of other layers are missing.
    """
    first = next(iter(layers))
    some = sorted({0, experts // 2, experts - 1}) if experts else [None]
    lacking: list[str] = []
    for place in _proposed(files, own, loaded(first, some[0]), first, experts):
        absent = _absent(files, place, layers, experts)
        if absent:
            lacking = lacking or absent
        elif all(
            _same(place.read(files, layer, expert), loaded(layer, expert))
            for layer, expert in product((layer for layer, here in layers.items() if here), some)
        ):
            return place
    if lacking:
        raise ModelLoadError(
            f"The model {model} lacks {len(lacking)} of its weights or has them in another form, such as {lacking[0]}.",
            "Give a complete checkpoint of a causal language model.",
        )
    raise UnsupportedModelError(
        f"No tensor on disk holds the weights of {own} as they are loaded: they are converted in a way that cannot be "
        "followed.",
        "Load the model, or save it anew with save_pretrained.",
    )


def _proposed(files: TensorFiles, own: str, wanted: Tensor, layer: int, experts: int) -> Iterator[WeightAt]:
    """Places that hold the weights of one layer (and of expert 0), those with names like the parameter's first."""
    for name in sorted(files.entries, key=lambda name: _unlike(name, own)):
        if files.entries[name].dtype is None:
            continue
        pieces = tuple(name.split("."))
        numbered = [index for index, piece in enumerate(pieces) if piece == str(layer)]
        shape = files.entries[name].shape
        for packed, transposed in product((False, True) if experts else (False,), (False, True)):
            plain = tuple(reversed(wanted.shape)) if transposed else tuple(wanted.shape)
            if shape != ((experts, *plain) if packed else plain) or (transposed and wanted.dim() != 2):
                continue
            of_expert: Sequence[int | None] = [None]
            if experts and not packed:
                of_expert = [index for index, piece in enumerate(pieces) if piece == "0"]
            for at, expert in product(numbered, of_expert):
                place = WeightAt(pieces, at, expert, packed, transposed, wanted.dtype)
                if at != expert and _same(place.read(files, layer, 0 if experts else None), wanted):
                    yield place


def _unlike(name: str, own: str) -> tuple[bool, int]:
    """Sorts names: the parameter's own, then those that end like it."""
    common = 0
    for a, b in zip(reversed(name.split(".")), reversed(own.split(".")), strict=False):
        if a != b:
            break
        common += 1
    return name != own, -common


def _absent(files: TensorFiles, place: WeightAt, layers: Mapping[int, bool], experts: int) -> list[str]:
    """Names of tensors that are not there, not of the same shape, or no plain numbers."""
    each: Sequence[int | None] = [None] if place.expert is None else range(experts)
    shape = files.entries[".".join(place.pieces)].shape
    names = (place.name(layer, expert) for layer, expert in product(layers, each))
    found = ((name, files.entries.get(name)) for name in names)
    return [name for name, entry in found if entry is None or entry.shape != shape or entry.dtype is None]


def _same(found: Tensor, wanted: Tensor) -> bool:
    """Whether two tensors of one shape hold the same numbers once they are of one dtype."""
    found, wanted = torch.atleast_1d(found), torch.atleast_1d(wanted)
    corner = (slice(8),) * wanted.dim()  # settles nearly all that differ, and reads next to nothing
    if not torch.equal(found[corner].to(wanted.dtype), wanted[corner]):
        return False
    rows = max(1, _PIECE // max(1, wanted[0].numel()))
    return all(torch.equal(a.to(b.dtype), b) for a, b in zip(found.split(rows), wanted.split(rows), strict=True))
