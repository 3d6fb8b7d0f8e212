"""A model that was examined and is ready to be debugged: the network with its engine, units, vocabulary and lens."""

from collections.abc import Iterable, Iterator
from functools import cached_property

from torch import Tensor
from transformers import PreTrainedModel

from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.engine.engine import Engine, Resume
from lm_debugger.engine.sites import Site
from lm_debugger.errors import PromptError
from lm_debugger.lenses.backward import Backward
from lm_debugger.lenses.logit import LogitLens
from lm_debugger.model import resuming
from lm_debugger.records.examination import Examination
from lm_debugger.records.model import ModelSummary
from lm_debugger.records.names import Extent, UnitName
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.units.blocks import Block
from lm_debugger.units.layer import BoundLayer
from lm_debugger.units.running import local_engine
from lm_debugger.units.unit import Group, ValueGroup


class LoadedModel:
    """A supported model.

    Args:
        name: as the user gave it.
        network: the model: its weights are read here; only the engine runs it.
        vocabulary: its tokens.
        anatomy: its anatomy, proved.
        examination: the report of the proof.
        engine: runs it; None for one in this process.

    Attributes:
        blocks: the layers with their units.
        readout: the logit lens.
        sites: what a trace keeps.
    """

    def __init__(
        self,
        name: str,
        network: PreTrainedModel,
        vocabulary: Vocabulary,
        anatomy: Anatomy,
        examination: Examination,
        engine: Engine | None = None,
    ) -> None:
        self.name = name
        self.network = network
        self.vocabulary = vocabulary
        self.anatomy = anatomy
        self.examination = examination
        self.blocks = tuple(BoundLayer(network.get_submodule, anatomy, index) for index in range(len(anatomy.layers)))
        self.engine: Engine = engine or local_engine(network, anatomy, self.blocks)
        self.readout = LogitLens(network, anatomy)
        self.sites: tuple[Site, ...] = tuple(dict.fromkeys(site for block in self.blocks for site in block.sites))

    @property
    def fingerprint(self) -> str:
        """Identifies architecture and weights."""
        return self.examination.fingerprint

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.anatomy.layers)

    def extents(self, layer: int) -> tuple[Extent, ...]:
        """How many units of each kind the layer has."""
        return self.blocks[layer].extents

    def vectors(self, layer: int) -> tuple[Extent, ...]:
        """Those of them that are vectors, in the order of the blocks."""
        return self.blocks[layer].vectors

    @cached_property
    def backward(self) -> Backward:
        """The read-out gone backwards, from logits to what writes them."""
        return Backward(self.network, self.anatomy)

    @cached_property
    def _resumes(self) -> int | None:
        return resuming.form(self.engine, self.anatomy, self.vocabulary.size)

    def resume(self, layer: int, stream: Tensor) -> Resume | None:
        """Begin a forward at a layer with the stream that enters it (see `Resume`); None where it must run whole."""
        if layer == 0 or self._resumes is None:
            return None
        return resuming.resume_at(self.anatomy, layer, stream, self._resumes)

    @cached_property
    def kept_numbers(self) -> int:
        """Numbers that a trace keeps for each token, at most."""
        return sum(4 * self.anatomy.hidden_size + sum(g.kept for g in block.units) for block in self.blocks)

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

    def unit(self, name: UnitName) -> tuple[Group, int]:
        """The group that holds a unit, and its number there. The name must exist."""
        return self.blocks[name.layer].unit(name)

    def values(self, name: UnitName) -> tuple[ValueGroup, int]:
        """The same for a value vector."""
        group, index = self.unit(name)
        assert isinstance(group, ValueGroup)
        return group, index

    def vector(self, name: UnitName) -> Tensor:
        """A value vector as it arrives in the residual stream, but for token-dependent scales: (hidden,), float32."""
        group, index = self.values(name)
        return group.vector(index)

    def value_blocks(self, layers: Iterable[int] | None = None) -> Iterator[Block]:
        """The value vectors of layers (None: of all), kind after kind, expert by expert; always in this order."""
        for layer in range(self.layers) if layers is None else layers:
            for group in self.blocks[layer].units:
                if isinstance(group, ValueGroup):
                    yield from group.blocks()


def end_of_text(model: LoadedModel) -> frozenset[int]:
    """The tokens at which the model stops by itself."""
    ends = model.network.generation_config.eos_token_id
    return frozenset(ends if isinstance(ends, list) else () if ends is None else (ends,))
