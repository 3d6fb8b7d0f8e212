"""What one prompt's run keeps: residual streams and coefficients of all positions, as a value without views.

Memory: the residual stream before and after every layer and all coefficients, in the model's dtype, on its device:
about layers · (6 · hidden + width) numbers a token.
"""

import copy
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, Self, TypeVar

from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.engine.sites import Capture
from lm_debugger.errors import OptionError, StaleRunError
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.edit import Edit
from lm_debugger.records.token import Token
from lm_debugger.runs.spec import RunSpec

T = TypeVar("T")


class KeptRun:
    """One prompt's run through the model, with or without edits. Immutable.

    Attributes:
        model: the model.
        spec: what was run.
        baseline: the same prompt without edits, or None if there are no edits.
        reading: the model through the lens that read-outs use where none is asked for.
        weights: the state of the weights that it was made with.
    """

    def __init__(
        self,
        model: LoadedModel,
        spec: RunSpec,
        capture: Capture,
        *,
        weights: Hashable,
        reading: Reading,
        baseline: "KeptRun | None" = None,
    ) -> None:
        self.model = model
        self.spec = spec
        self.baseline = baseline
        self.reading = reading
        self._capture = capture
        self._weights = weights
        self._remembered: dict[tuple[type, str], Any] = {}

    def __len__(self) -> int:
        return len(self.spec.ids)

    @property
    def ids(self) -> tuple[int, ...]:
        """The token ids."""
        return self.spec.ids

    @property
    def interventions(self) -> tuple[Edit, ...]:
        """The edits in force."""
        return self.spec.edits

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The prompt's tokens."""
        return self.model.vocabulary.tokens(self.ids)

    @property
    def batch(self) -> int:
        """Identifies the forward that this run was a row of: rows of one forward share their memory."""
        return id(self._capture.streams)

    @property
    def memory(self) -> int:
        """Bytes of the tensors that the whole batch of this run keeps."""
        return self._capture.streams.memory

    def remembered(self, kind: type[T], lens: str, make: Callable[[], T]) -> T:
        """What a read-out remembers of the run, as long as the run is kept; made when first asked for.

        Args:
            lens: key of the lens that it is read through.
        """
        found = self._remembered.get((kind, lens))
        # Two threads may both make one: the first that is kept serves both.
        return found if isinstance(found, kind) else self._remembered.setdefault((kind, lens), make())

    def through(self, reading: Reading) -> Self:
        """The same run, read through another lens where none is asked for. What is kept of it is shared."""
        if reading is self.reading:
            return self
        found = copy.copy(self)
        found.reading = reading
        return found

    def check_current(self) -> None:
        """Raise StaleRunError if the weights have changed since: a read-out would mix old streams with new weights."""
        if self.model.engine.weights() != self._weights:
            raise StaleRunError("The model's weights have changed since this run.", "Trace the prompt again.")

    def position(self, position: int) -> int:
        """A position counted from the start, checked; negative ones count from the end.

        Raises:
            OptionError: if the prompt has no such position.
        """
        if not -len(self) <= position < len(self):
            raise OptionError(
                f"Position {position} is outside the text of {len(self)} tokens.",
                f"Choose one from 0 to {len(self) - 1}, or from -{len(self)} to -1 to count from the end.",
            )
        return position % len(self)

    def layer(self, layer: int, position: int | slice = slice(None)) -> LayerStreams:
        """One layer's streams as tensors: `before`, `after`, `contribution`, …

        Args:
            layer: index of the layer.
            position: one position, or a slice of them.
        """
        if isinstance(position, int):
            position = slice(self.position(position), self.position(position) + 1)
        if not 0 <= layer < self.model.layers:
            raise OptionError(
                f"Layer {layer} does not exist in {self.model.name}.", f"Choose one from 0 to {self.model.layers - 1}."
            )
        return LayerStreams(self.model.blocks[layer], self._capture, position)

    @cached_property
    def last_residual(self) -> Tensor:
        """The last layer's residual stream for all positions: (positions, hidden), in the model's dtype."""
        return self._capture[self.model.anatomy.layers[-1].after]

    def logits(self, position: int = -1) -> Tensor:
        """The model's output logits at a position: (vocabulary,), float32."""
        return self.model.readout.logits(self.last_residual[self.position(position)][None])[0]

    def __repr__(self) -> str:
        edits = f", {len(self.interventions)} edits" if self.interventions else ""
        return f"{type(self).__name__}({self.model.name}, {len(self)} tokens{edits})"
