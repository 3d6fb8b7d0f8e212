"""The verbs on directions of the residual stream: kept for edits to name, listed, removed."""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from lm_debugger.debugger.verb import verb
from lm_debugger.edits.grammar import parse_all
from lm_debugger.lenses.book import Named
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.direction import DirectionListing, DirectionSummary
from lm_debugger.records.recipe import Recipe
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.steering import carried, kept
from lm_debugger.steering.directions import Directions
from lm_debugger.steering.make import of_file, of_prompts, of_words
from lm_debugger.work import Progress, Work


class Directing(ABC):
    """A part of `Debugger`: keeps directions that edits name, as in `L12R(polite)+=1`."""

    _model: LoadedModel
    _directions: Directions

    @abstractmethod
    def refresh(self) -> None:
        """See `Debugger`."""

    @abstractmethod
    def _work(self, progress: Progress | None, cancel: threading.Event | None) -> Work:
        """See `Debugger`."""

    @verb
    def keep_direction(
        self,
        name: str,
        *,
        words: str | Sequence[str] = (),
        minus: str | Sequence[str] = (),
        start: Prompt | Sequence[Prompt] = (),
        to: Prompt | Sequence[Prompt] = (),
        file: str | os.PathLike[str] | None = None,
        layer: int | None = None,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> DirectionSummary:
        """Keep a direction of the residual stream under a name, for edits such as `L12R(name)+=1`.

        It is made of one of three things: words, two sets of prompts, or a file.

        Args:
            name: lower-case letters, digits, - and _.
            words, minus: words whose directions are added, and taken off.
            start, to: prompts; the direction is the mean of the streams of `to` less that of `start`, at their last
                tokens (difference in means).
            file: `.safetensors`, `.npy`, `.pt` or `.json`: one vector (hidden,), one a layer, or tensors whose names
                end with their layers.
            layer: keep it for this layer alone; None for all.
            lens: by which words become directions; the debugger's own if left out.

        Raises:
            OptionError: if the name cannot be one, or it is not made of one of the three.
            DirectionError: if the file cannot be read or is not this model's, or it cannot be kept.
            EditError: if it has no length.
            PromptError, LensError, CancelledError.
        """
        work = self._work(progress, cancel)
        if file is not None:
            about, vectors = of_file(self._model, name, Path(file), layer, also=bool(words or minus or start or to))
        elif words or minus:
            also = bool(start or to)
            about, vectors = of_words(self._directions, self._model, name, words, minus, layer, lens, also=also)
        else:
            about, vectors = of_prompts(self._model, name, start, to, layer, work)
        kept.write(self._model, about, vectors)
        return about

    @verb
    def directions(self) -> DirectionListing:
        """The directions that are kept for this model."""
        return kept.listing(self._model.fingerprint)

    @verb
    def remove_direction(self, name: str) -> None:
        """Forget a direction.

        Raises:
            DirectionError: if there is none of that name.
        """
        kept.remove(self._model.fingerprint, name)

    @verb
    def pack_recipe(self, recipe: Recipe) -> Recipe:
        """The recipe with the numbers of the kept directions that its edits name, for a file that goes elsewhere.

        Raises:
            DirectionError: if one of them is not kept.
        """
        found = carried.carried(self._model, parse_all(recipe.interventions))
        return recipe.model_copy(update={"directions": found})

    @verb
    def unpack_recipe(self, recipe: Recipe) -> None:
        """Keep the directions that a recipe of this model carries.

        Raises:
            RecipeError: if one is not of this model's shape, or another is kept under its name.
            DirectionError: if it cannot be kept.
        """
        carried.take(self._model, recipe)
