"""A step that was entered: one forward gone through layer by layer and part by part, at its last position.

The forward runs once, when it is entered, and everything that passes is kept; where the session stands in it is a place
between two parts. When edits change there, only the layers from the first edited one on run again.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import torch

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.debugger.stepping.held import Held
from lm_debugger.debugger.stepping.tree import Edits, Node
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.readouts.view import read_layers
from lm_debugger.records.session import FrameView, PartName, PartSummary, PartView
from lm_debugger.records.token import TokenScore
from lm_debugger.records.trace import LayerView
from lm_debugger.runs.kept import KeptRun
from lm_debugger.runs.spec import RunSpec

LISTED = 5  # units and tokens


class Place(NamedTuple):
    """The part that has just run."""

    layer: int
    part: PartName


class Frame:
    """A step that was entered.

    Args:
        node: the position whose token runs.
        edits: in force.
        held: the continuation after the step, with everything that passed.
        ids: the tokens that ran.
        reading: the model through a lens.
        place: where the session stands.
        reused: layers that were not computed for it.
    """

    def __init__(
        self,
        model: LoadedModel,
        node: Node,
        edits: Edits,
        held: Held,
        ids: Sequence[int],
        reading: Reading,
        place: Place,
        reused: int = 0,
    ) -> None:
        self.model = model
        self.node = node
        self.edits = edits
        self.held = held
        self.place = place
        self.reused = reused
        # Of a step under a cache only the positions that ran are there: read as a run of its own.
        spec = RunSpec.of_prompt(ids)
        weights = model.engine.weights()
        self._run = KeptRun(model, spec, held.last.captures[0], weights=weights, reading=reading)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """All parts of the step, in order."""
        return tuple(Place(block.index, part) for block in self.model.blocks for part in parts_of(bool(block.groups)))

    def streams(self, layer: int) -> LayerStreams:
        """A layer's streams at the last position."""
        return self._run.layer(layer, len(self._run) - 1)

    def after(self, place: Place) -> Place | None:
        """The next part, or None after the last."""
        index = self.places.index(place) + 1
        return self.places[index] if index < len(self.places) else None

    def earlier(self, place: Place) -> Place | None:
        """The part before, or None before the first."""
        index = self.places.index(place) - 1
        return self.places[index] if index >= 0 else None

    def at_layer(self, layer: int) -> Place:
        """The first part of a layer."""
        return next(place for place in self.places if place.layer == layer)

    @property
    def stage(self) -> tuple[int, Literal["before", "after"]]:
        """Where the session stands, as a place of the lens."""
        return self.place.layer, "before" if self.place.part == "attention" else "after"

    @cached_property
    def _layers(self) -> tuple[LayerView, ...]:
        return read_layers(self._run, self._run.reading, len(self._run) - 1, LISTED, None, 1)[0]

    def _lens(self, place: Place) -> tuple[TokenScore, ...]:
        layer = self._layers[place.layer]
        return layer.before if place.part == "attention" else layer.after

    @torch.no_grad()
    def view(self) -> FrameView:
        """The part that has just run, and what the model would say after each part so far."""
        until = self.places[: self.places.index(self.place) + 1]
        layer, streams = self._layers[self.place.layer], self.streams(self.place.layer)
        attention = self.place.part == "attention"
        added = streams.attention if attention else streams.contribution
        part = PartView(
            layer=self.place.layer,
            part=self.place.part,
            norm=float(added[-1].norm()),
            heads=layer.heads if attention else (),
            values=() if attention else layer.values,
            lens=self._lens(self.place),
        )
        course = tuple(
            PartSummary(
                layer=place.layer,
                part=place.part,
                top=(
                    self._layers[place.layer].before if place.part == "attention" else self._layers[place.layer].after
                )[0],
            )
            for place in until
        )
        return FrameView(layers=self.model.layers, reused=self.reused, part=part, course=course)


def parts_of(feed_forward: bool) -> tuple[PartName, ...]:
    """The parts of a layer."""
    return ("attention", "ffn") if feed_forward else ("attention",)
