"""A model that was examined and is ready to be debugged: the network with its anatomy, vocabulary and read-out."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedModel

from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.anatomy.streams import BoundGroup, BoundLayer
from lm_debugger.engine.capture import Recorder
from lm_debugger.errors import PromptError, UnsupportedModelError
from lm_debugger.lenses.logit import BoundReadOut
from lm_debugger.records.examination import Examination
from lm_debugger.records.model import ModelSummary
from lm_debugger.records.names import ValueName
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.units.blocks import Block


class LoadedModel:
    """A supported model.

    Args:
        name: as the user gave it.
        network: the model, in eval mode.
        vocabulary: its tokens.
        anatomy: its anatomy, proved.
        examination: the report of the proof.

    Attributes:
        blocks: the layers with their modules.
        readout: the logit lens.
        recorder: records forwards.
        lock: held during every forward: hooks on a shared model must not meet.
    """

    def __init__(
        self,
        name: str,
        network: PreTrainedModel,
        vocabulary: Vocabulary,
        anatomy: Anatomy,
        examination: Examination,
    ) -> None:
        self.name = name
        self.network = network
        self.vocabulary = vocabulary
        self.anatomy = anatomy
        self.examination = examination
        self.blocks = tuple(BoundLayer(network, anatomy, index) for index in range(len(anatomy.layers)))
        for bound in (bound for block in self.blocks for bound in block.groups):
            if bound.linear is not None:
                bound.linear.find_plain()  # now, because nothing runs yet; later there may be hooks
        self.readout = BoundReadOut(network, anatomy)
        self.recorder = Recorder(network, anatomy)
        self.lock = threading.RLock()
        self._norms: dict[tuple[int, int], Tensor] = {}

    @property
    def fingerprint(self) -> str:
        """Identifies architecture and weights."""
        return self.examination.fingerprint

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.anatomy.layers)

    def dense_width(self, layer: int) -> int:
        """Number of value vectors in the layer's dense feed-forward weights."""
        return self.anatomy.dense_width(layer)

    def experts(self, layer: int) -> tuple[int, int]:
        """Number of experts in the layer and of value vectors in each."""
        return self.anatomy.experts(layer)

    @cached_property
    def context(self) -> int | None:
        """Most tokens that the model accepts, or None where its configuration states no limit."""
        config = self.network.config.get_text_config(decoder=True)
        for name in ("max_position_embeddings", "n_positions", "max_seq_len"):
            value = getattr(config, name, None)
            if isinstance(value, int) and value > 0:
                return value
        return None

    @cached_property
    def summary(self) -> ModelSummary:
        """What results say of the model."""
        return ModelSummary(
            name=self.name,
            fingerprint=self.fingerprint,
            layers=self.layers,
            value_vectors=self.anatomy.value_vectors,
            architecture=type(self.network).__name__,
            hidden_size=self.anatomy.hidden_size,
            vocabulary=self.anatomy.readout.vocabulary,
            context=self.context,
            parameters=sum(parameter.numel() for parameter in self.network.parameters()),
            dtype=str(self.network.dtype).removeprefix("torch."),
            device=str(self.network.device),
        )

    def check_length(self, prompt: int, more: int = 0) -> None:
        """Raise PromptError if prompt and generated tokens do not fit the context."""
        if self.context is not None and prompt + more > self.context:
            what = f"{prompt} prompt tokens" + (f" and {more} generated ones" if more else "")
            raise PromptError(
                f"{what} do not fit {self.name}'s context of {self.context} tokens.",
                "Shorten the prompt" + (" or generate fewer tokens." if more else "."),
            )

    def tensor(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """Token ids of equal length as a tensor on the model's device."""
        return torch.tensor(list(map(list, ids)), device=self.network.device)

    def group(self, name: ValueName) -> tuple[BoundGroup, int]:
        """The group that holds a value vector, and the vector's index in it (or in its expert). The name must exist."""
        for bound in self.blocks[name.layer].groups:
            if bound.group.experts and name.expert is not None:
                return bound, name.dimension
            inside = name.dimension - bound.first
            if not bound.group.experts and name.expert is None and 0 <= inside < bound.group.width:
                return bound, inside
        raise UnsupportedModelError(f"{name} does not exist.")  # callers check names first

    def vector(self, name: ValueName) -> Tensor:
        """A value vector as it arrives in the residual stream, but for token-dependent scales: (hidden,), float32."""
        bound, index = self.group(name)
        return bound.static(bound.matrix(name.expert)[index])

    def value_blocks(self, layers: Iterable[int] | None = None) -> Iterator[Block]:
        """The value vectors of layers (None: of all), dense ones first, then expert by expert; always in this order."""
        for layer in range(self.layers) if layers is None else layers:
            for bound in sorted(self.blocks[layer].groups, key=lambda bound: bool(bound.group.experts)):
                if bound.experts is None:
                    yield Block(layer, None, bound.first, bound.matrix(None), bound)
                else:
                    for expert in range(bound.experts.count):
                        yield Block(layer, expert, 0, bound.matrix(expert), bound)

    def norms(self, layer: int, bound: BoundGroup) -> Tensor:
        """Lengths of a group's value vectors: (width,), or (experts, width). Computed once."""
        key = (layer, bound.first if bound.linear else -1)
        if key not in self._norms:
            if bound.experts is None:
                self._norms[key] = bound.static(bound.matrix(None)).norm(dim=-1)
            else:
                each = range(bound.experts.count)
                self._norms[key] = torch.stack([bound.static(bound.matrix(e)).norm(dim=-1) for e in each])
        return self._norms[key]
