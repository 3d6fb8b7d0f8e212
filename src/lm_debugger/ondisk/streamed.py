"""A model whose weights stay on disk: its value vectors, block by block, without loading it.

1. The first layers are loaded, enough to have one of every kind, and examined as a model of their own (`prefix`).
2. Where the weights of those layers lie in the files is found by their values, and with it where all others lie
   (`places`).
3. A block is a view of the mapped file; the norms on a layer's route are read for each layer.

What is taken on trust: layers with the same modules and shapes as a proved one work like it. They are not run.
"""

import copy
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lm_debugger.anatomy.fingerprint import stable
from lm_debugger.anatomy.parts import Anatomy, Form
from lm_debugger.anatomy.streams import Arrival
from lm_debugger.errors import ModelLoadError, ModelNotFoundError, UnsupportedModelError
from lm_debugger.lenses.logit import LogitLens
from lm_debugger.ondisk.files import TensorFiles
from lm_debugger.ondisk.places import WeightAt, find
from lm_debugger.ondisk.prefix import Prefix
from lm_debugger.proof.kept import prove
from lm_debugger.proof.report import refusal
from lm_debugger.records.names import Extent, UnitName, unit_name
from lm_debugger.source import references as sources
from lm_debugger.source.load import load_network
from lm_debugger.source.options import LoadOptions
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.units.blocks import Block
from lm_debugger.units.layer import BoundLayer, merged
from lm_debugger.units.unit import ValueGroup
from lm_debugger.work import UNWATCHED, Work


@dataclass(frozen=True)
class _Norm:
    """A norm on a route: the module of the layer that was loaded, and where each layer's weights for it lie."""

    module: nn.Module
    weights: dict[str, WeightAt]


@dataclass(frozen=True)
class _Stored:
    """A group of one kind of layer."""

    group: ValueGroup
    place: WeightAt
    norms: dict[str, _Norm]

    def matrices(self, files: TensorFiles, layer: int) -> Iterator[tuple[int, Tensor]]:
        """The group's matrices in a layer, each with the number of its first unit; one at a time."""
        _, packed = self.group.stored
        for slot in range(packed) if packed else (None,):
            matrix = self.place.read(files, layer, slot)
            yield (slot or 0) * len(matrix), matrix
            del matrix

    def name(self, layer: int) -> Callable[[int], UnitName]:
        """Gives the names of the group's units in a layer."""
        return lambda index: unit_name(layer, self.group.extent.letters, self.group.name(index).numbers)


class StreamedModel:
    """A model on disk, as something to search (`blocks.ValueSource`).

    Args:
        name: as the user gave it.
        files: the weights.
        fingerprint: identifies them.
        vocabulary: the model's tokens.
        readout: from the residual stream to the vocabulary.
        hidden: width of the residual stream.
        groups: for every layer its groups, dense ones first.
    """

    def __init__(
        self,
        name: str,
        files: TensorFiles,
        fingerprint: str,
        vocabulary: Vocabulary,
        readout: LogitLens,
        hidden: int,
        groups: list[list[_Stored]],
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.vocabulary = vocabulary
        self.readout = readout
        self._files = files
        self._hidden = hidden
        self._groups = groups
        self._arrivals: dict[tuple[int, str], Arrival] = {}

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self._groups)

    @property
    def value_vectors(self) -> int:
        """Number of value vectors in the whole model."""
        return sum(stored.group.extent.units for groups in self._groups for stored in groups)

    def extents(self, layer: int) -> tuple[Extent, ...]:
        """How many units of each kind the layer has."""
        return merged([stored.group for stored in self._groups[layer]])

    def vectors(self, layer: int) -> tuple[Extent, ...]:
        """See `ValueSource`."""
        return self.extents(layer)

    def value_blocks(self, layers: Iterable[int] | None = None) -> Iterator[Block]:
        """The value vectors of layers (None: of all), kind after kind, expert by expert; always in this order.

        A block is a view of the file. Drop it before you ask for the next one, and no more than one is in memory.
        """
        for layer in range(self.layers) if layers is None else layers:
            for stored in self._groups[layer]:
                for first, matrix in stored.matrices(self._files, layer):
                    yield Block(layer, stored.name(layer), first, matrix, self._arrival(stored, layer))
                    del matrix

    def vector(self, name: UnitName) -> Tensor:
        """A value vector as it arrives in the residual stream: (hidden,), float32. The name must exist."""
        number = next(one for one in self.extents(name.layer) if one.letters == name.letters).number(name)
        for stored in self._groups[name.layer]:
            inside = number - stored.group.first
            if stored.group.extent.letters != name.letters or not 0 <= inside < stored.group.extent.units:
                continue
            _, packed = stored.group.stored
            slot, row = divmod(inside, stored.group.extent.units // max(1, packed))
            matrix = stored.place.read(self._files, name.layer, slot if packed else None)
            return self._arrival(stored, name.layer).static(matrix[row])
        raise UnsupportedModelError(f"{name} does not exist.")  # callers check names first

    def _arrival(self, stored: _Stored, layer: int) -> Arrival:
        key = (layer, stored.group.path)
        if key not in self._arrivals:

            def module(path: str) -> nn.Module:
                return _of_layer(stored.norms[path], self._files, layer)

            self._arrivals[key] = Arrival(stored.group.path, stored.group.route, module, self._hidden)
        return self._arrivals[key]


def open_streamed(
    folder: str | os.PathLike[str],
    options: LoadOptions = LoadOptions(),  # noqa: B008 (frozen)
    work: Work = UNWATCHED,
) -> StreamedModel:
    """Open the weights in a folder to be searched, without loading the model.

    Memory: the first layers while they are examined, one of them in float32; then embeddings, unembedding and a block.

    Args:
        folder: a folder with config.json, a tokenizer and safetensors files, or `demo`.
        options: whether code that comes with the model may run; there is no device or dtype to choose.
        work: told of the steps.

    Raises:
        ModelNotFoundError: if it is no folder of a model.
        ModelLoadError: if files are missing or damaged.
        UnsupportedModelError: if the anatomy cannot be proved, or the weights on disk are not those that are loaded.
        NumericalError: if weights of the first layers are not finite.
    """
    name = os.fspath(folder)
    place = _folder(name, work)
    work("Reading the files' headers")
    files = TensorFiles(place, name)
    prefix = Prefix(trust_remote_code=options.trust_remote_code)
    network, tokenizer = load_network(place, replace(options, device="cpu"), part=prefix, work=work)
    fingerprint = files.fingerprint(stable(network.config.to_dict()))
    report, anatomy = prove(network, name=name, work=work, identity=fingerprint)
    if anatomy is None:
        raise refusal(report)
    _check(anatomy, prefix)
    work("Finding the weights in the files")
    known = {stand: list(_stored(network, anatomy, prefix, stand, files, name)) for stand in sorted(set(prefix.stands))}
    embedded = getattr(network.get_input_embeddings(), "num_embeddings", anatomy.readout.vocabulary)
    return StreamedModel(
        name,
        files,
        fingerprint,
        Vocabulary(tokenizer, embedded),
        LogitLens(network, anatomy),
        anatomy.hidden_size,
        [known[stand] for stand in prefix.stands],
    )


def _folder(name: str, work: Work) -> Path:
    if name != sources.DEMO and not Path(name).expanduser().is_dir():
        raise ModelNotFoundError(
            f"{name} is no folder.",
            "Give a folder with safetensors files; `hf download` fetches one.",
        )
    source = sources.find(name, revision=None, work=work)
    if source.gguf:
        raise ModelLoadError(f"{name} has a GGUF file, not safetensors files.", "Give a folder with the plain weights.")
    if source.adapter:
        raise ModelLoadError(f"{name} is an adapter.", "Merge it into its base model, save that, and give its folder.")
    return Path(source.location)


def _check(anatomy: Anatomy, prefix: Prefix) -> None:
    """Raise if what was proved for the first layers cannot be said of the others."""
    paths = [layer.path for layer in anatomy.layers]
    if paths != [f"{prefix.stack}.{index}" for index in range(prefix.loaded)]:
        raise UnsupportedModelError(f"The layers that run ({paths[0]}, …) are not those in {prefix.stack}.")
    if prefix.loaded == len(prefix.stands):
        return
    routes = [group.route for layer in anatomy.layers for group in layer.groups]
    if len({tuple(step.factor for step in route) for route in routes if any(step.factor for step in route)}) > 1:
        raise UnsupportedModelError(
            "The feed-forward's output is multiplied by a factor that differs between layers: that of a layer which is "
            "not loaded is unknown.",
            "Load the model.",
        )


def _stored(
    network: PreTrainedModel, anatomy: Anatomy, prefix: Prefix, stand: int, files: TensorFiles, name: str
) -> Iterator[_Stored]:
    """The groups of one kind of layer, dense ones first."""
    layers = {layer: layer < prefix.loaded for layer, first in enumerate(prefix.stands) if first == stand}
    bound = [BoundLayer(network.get_submodule, anatomy, layer) for layer in range(prefix.loaded)]

    def at(path: str, layer: int) -> str:
        """A path in the layer `stand` as that in another layer."""
        return f"{prefix.stack}.{layer}" + path.removeprefix(f"{prefix.stack}.{stand}")

    def in_group(index: int) -> Callable[[int, int | None], Tensor]:
        def loaded(layer: int, slot: int | None) -> Tensor:
            group = bound[layer].groups[index]
            return group.matrix_of((slot or 0) * (group.extent.units // max(1, group.stored[1])))[0]

        return loaded

    def in_norm(path: str, weight: str) -> Callable[[int, int | None], Tensor]:
        return lambda layer, _: network.get_submodule(at(path, layer)).state_dict()[weight]

    def norm(path: str) -> _Norm:
        module = network.get_submodule(path)
        weights = {
            key: find(files, f"{path}.{key}", in_norm(path, key), layers, 0, name) for key in module.state_dict()
        }
        return _Norm(copy.deepcopy(module), weights)

    for index, group in enumerate(bound[stand].groups):
        parameter, packed = group.stored
        place = find(files, f"{group.path}.{parameter}", in_group(index), layers, packed, name)
        norms = {step.path: norm(step.path) for step in group.route if step.form is Form.NORM}
        yield _Stored(group, place, norms)


@torch.no_grad()
def _of_layer(norm: _Norm, files: TensorFiles, layer: int) -> nn.Module:
    """The norm with the weights of a layer."""
    module = copy.deepcopy(norm.module)
    for key, tensor in module.state_dict().items():
        tensor.copy_(norm.weights[key].read(files, layer, None))
    return module
