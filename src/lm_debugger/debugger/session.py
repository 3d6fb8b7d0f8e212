"""The user's verbs on one loaded model: trace, generate, value, calibrate, examine. What `lm_debugger.load` returns."""

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial

from lm_debugger.calibration import measure as calibration
from lm_debugger.debugger.attribution import Attribution
from lm_debugger.debugger.bisecting import Bisecting
from lm_debugger.debugger.calibrating import Calibrating
from lm_debugger.debugger.debugging import Debugging
from lm_debugger.debugger.directing import Directing
from lm_debugger.debugger.lensing import Lensing
from lm_debugger.debugger.repair import Repair
from lm_debugger.debugger.trace import Trace
from lm_debugger.debugger.verb import verb
from lm_debugger.edits import recipe as recipes
from lm_debugger.edits.grammar import parse_all
from lm_debugger.edits.validate import check_name
from lm_debugger.errors import OptionError
from lm_debugger.lenses.book import Named
from lm_debugger.lenses.reading import Reading
from lm_debugger.lenses.source import ValueSource
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.readouts.head import head_view
from lm_debugger.readouts.writers import RunPosition, writers
from lm_debugger.records.edit import WITH_STRENGTH, Edit
from lm_debugger.records.examination import Examination
from lm_debugger.records.generation import Continuation, Generation, Sampling
from lm_debugger.records.head import HeadView
from lm_debugger.records.model import ModelSummary
from lm_debugger.records.names import HeadName, UnitName
from lm_debugger.records.recipe import Recipe
from lm_debugger.records.search import AnySign, Filter, SearchAnswer
from lm_debugger.runs.generate import OnToken, Stops, continue_prompt
from lm_debugger.runs.run import MEMORY_LIMIT, run
from lm_debugger.runs.spec import RunSpec, settled
from lm_debugger.runs.store import RunStore
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.steering.directions import Directions
from lm_debugger.watches.bind import Watch, bind
from lm_debugger.watches.follow import Follower
from lm_debugger.work import UNWATCHED, Progress, Work, silent

HEADS_KEPT = 1000  # read-outs of heads that are remembered

Edits = Sequence[str | Edit]
Reopen = Callable[[LoadedModel], LoadedModel]


class Debugger(Calibrating, Attribution, Bisecting, Repair, Lensing, Directing, Debugging):
    """A model under the debugger. Its weights are never changed; every edit lives for one call.

    Where its user changes the weights (trains them, say), the next call proves the model anew and forgets what it knew
    of the old ones.

    Args:
        model: a model that was examined.
        reopen: proves the model anew.
        progress: told of long work.
    """

    _loaded = True

    def __init__(self, model: LoadedModel, reopen: Reopen, progress: Progress = silent) -> None:
        self._reopen = reopen
        self._runs: RunStore[Trace] = RunStore()
        self._turn = threading.RLock()
        self._take(model)
        super().__init__(model, progress)

    def _take(self, model: LoadedModel) -> None:
        self._model = model
        self._weights = model.engine.weights()
        self._calibration: calibration.Calibration | None = None
        self._runs.clear()
        self._heads: dict[tuple[HeadName, int, str, str], HeadView] = {}

    def _bind(self, source: ValueSource) -> None:
        super()._bind(source)
        self._directions = Directions(self._model, self._lenses)

    def refresh(self) -> None:
        """Take note of changed weights: prove the model anew, and forget what was known of the old ones."""
        if self._model.engine.weights() != self._weights:
            with self._turn:
                if self._model.engine.weights() != self._weights:
                    self._take(self._reopen(self._model))
                    self._bind(self._model)

    def __repr__(self) -> str:
        return f"Debugger({self.summary.name}, {self.summary.layers} layers)"

    @property
    def summary(self) -> ModelSummary:
        """The model's name, size and fingerprint."""
        self.refresh()
        return self._model.summary

    @property
    def model(self) -> LoadedModel:
        """The loaded model: network, vocabulary, anatomy, units."""
        self.refresh()
        return self._model

    @verb
    def head(
        self,
        name: str | HeadName,
        *,
        top_k: int = 20,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> HeadView:
        """What an attention head copies and suppresses, by its weights alone (its OV circuit). Kept once known.

        Args:
            name: such as `L12H3`.
            top_k: how many pairs of tokens on each side, 1 to 100.
            lens: through which what it writes is read, as for `search`.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            ValueNameError: if the model has no such head.
            OptionError: if top_k is out of range.
            CancelledError: if cancelled.
        """
        found = HeadName.parse(name) if isinstance(name, str) else name
        check_name(found, self._model)
        reading = self._lenses.reading(lens)
        key = (found, top_k, reading.name, reading.lens.key)
        if key not in self._heads:
            if len(self._heads) >= HEADS_KEPT:
                self._heads.clear()
            self._heads[key] = head_view(self._model, reading, found, top_k, self._work(progress, cancel))
        return self._heads[key]

    @verb
    def examine(self) -> Examination:
        """The report of how the model's anatomy was found and proved."""
        return self._model.examination

    def trace(
        self,
        prompt: Prompt,
        interventions: Edits = (),
        *,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> Trace:
        """Run a prompt once and keep everything for read-outs.

        Args:
            prompt: a text, or token ids.
            interventions: edits in force, such as `"L12D345=off"`. The trace then carries its baseline.
            lens: through which it is read: `logit`, the name of a lens that is kept, or the path of a lens file; the
                debugger's own if left out. It costs no other run.
            progress: told of calibration, if an edit needs it.
            cancel: set it to stop.
            memory_limit: bytes that the trace may keep.

        Returns:
            A trace; `trace.view(position, top_k)` reads it out.

        Raises:
            PromptError, EditError, CalibrationError, MemoryLimitError, NumericalError, LensError, CancelledError.
        """
        return self.trace_batch(
            [prompt], [interventions], lens=lens, progress=progress, cancel=cancel, memory_limit=memory_limit
        )[0]

    @verb
    def trace_batch(
        self,
        prompts: Sequence[Prompt],
        interventions: Sequence[Edits] | None = None,
        *,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> tuple[Trace, ...]:
        """Run many prompts, each with its own edits; prompts of one length share a forward.

        Args:
            prompts: texts or token ids.
            interventions: for each prompt its edits, or None for no edits.
            lens: as for `trace`.

        Raises:
            OptionError: if there are not as many lists of edits as prompts; otherwise as `trace`.
        """
        if interventions is not None and len(interventions) != len(prompts):
            raise OptionError(
                f"{len(prompts)} prompts came with {len(interventions)} lists of edits.", "Give one list a prompt."
            )
        work = self._work(progress, cancel)
        reading = self._lenses.reading(lens)
        specs = [
            RunSpec.of_prompt(self._model.vocabulary.encode(prompt), self._settled(parse_all(edits), work))
            for prompt, edits in zip(prompts, interventions or [()] * len(prompts), strict=True)
        ]
        return self._traced(specs, reading, memory_limit, work)

    def _traced(self, specs: Sequence[RunSpec], reading: Reading, memory_limit: int, work: Work) -> tuple[Trace, ...]:
        model = self._model
        state = model.engine.state()

        def make(wanted: Sequence[RunSpec], bases: Sequence[Trace | None]) -> tuple[Trace, ...]:
            return run(
                model, wanted, kind=Trace, reading=self._lenses.plain, baselines=bases,
                memory_limit=memory_limit, work=work,
            )  # fmt: skip

        plain = [spec.base for spec in specs]
        bases = dict(
            zip(plain, self._runs.all(plain, state, lambda those: make(those, [None] * len(those))), strict=True)
        )
        found = self._runs.all(specs, state, lambda those: make(those, [bases[spec.base] for spec in those]))
        return tuple(each.through(reading) for each in found)

    @verb
    def find(self, prompt: Prompt, interventions: Edits = (), lens: Named | None = None) -> Trace | None:
        """The trace of a prompt if it is kept: runs and measures nothing. Arguments as for `trace`."""
        edits = parse_all(interventions)
        if any(edit.operation in WITH_STRENGTH for edit in edits) and self._known_calibration() is None:
            return None
        if not self._directions.known(edits):
            return None
        spec = RunSpec.of_prompt(self._model.vocabulary.encode(prompt), self._settled(edits, Work()))
        found = self._runs.find(spec, self._model.engine.state())
        return None if found is None else found.through(self._lenses.reading(lens))

    def _settled(self, edits: Sequence[Edit], work: Work) -> tuple[Edit, ...]:
        """The edits with what `on` and directions mean; measured first if it has to be."""
        return self._directions.settled(settled(edits, partial(self._range, work=work)), work)

    @verb
    def generate(
        self,
        prompt: Prompt,
        interventions: Edits = (),
        *,
        max_new_tokens: int = 20,
        temperature: float = 0.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        stop: Sequence[str] = (),
        chat: bool = False,
        compare: bool = True,
        lens: Named | None = None,
        watches: Sequence[str | Watch] = (),
        on_token: OnToken | None = None,
        cancel: threading.Event | None = None,
        progress: Progress | None = None,
    ) -> Generation:
        """Continue a prompt, with edits in force at every step.

        Args:
            prompt: a text, or token ids.
            interventions: edits in force.
            max_new_tokens: most tokens to generate.
            temperature: 0 for greedy.
            top_k, top_p: limits on what is sampled from.
            seed: of the sampling; the baseline uses the same noise.
            stop: texts to stop at.
            chat: put the prompt through the model's chat template.
            compare: also generate without the edits.
            lens: by which words become directions of the residual stream, as for `trace`.
            watches: expressions to evaluate at every step, such as `p(" Paris")`.
            on_token: called with each token of the (edited) continuation as it comes.
            cancel: set it to stop; what was generated is returned.

        Raises:
            PromptError, OptionError, EditError, WatchError, CalibrationError, NumericalError.
        """
        work = self._work(progress, cancel)
        reading = self._lenses.reading(lens)
        bound = [bind(each, self._model) if isinstance(each, str) else each for each in watches]
        edits = self._settled(parse_all(interventions), work)
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
        stops = Stops(max_new_tokens, (stop,) if isinstance(stop, str) else tuple(stop))
        prompt = self._model.vocabulary.turn(prompt) if chat else prompt
        ids = self._model.vocabulary.encode(prompt, special=not chat)

        def go(those: Sequence[Edit], listener: OnToken | None, watcher: Follower | None) -> Continuation:
            spec = RunSpec.of_prompt(ids, those)
            return continue_prompt(
                self._model, spec, sampling=sampling, stops=stops, on_token=listener, watcher=watcher, work=work
            )

        follower = (
            Follower(self._model, bound, ids, edited=bool(edits), most=max_new_tokens, work=work) if bound else None
        )
        found = go(edits, on_token, follower)
        baseline = go((), None, None) if edits and compare and found.finish != "cancelled" else None
        return Generation(
            prompt=prompt if isinstance(prompt, str) else self._model.vocabulary.written(ids),
            text=found.text,
            tokens=found.tokens,
            finish=found.finish,
            interventions=tuple(map(str, edits)),
            baseline=baseline,
            warnings=_without_effect(found, baseline),
            lens=reading.name,
            watches=() if follower is None else follower.series,
        )

    @property
    def reading(self) -> Reading:
        """The model through the debugger's own lens."""
        return self._lenses.reading()

    def settle(self, edits: Edits, work: Work) -> tuple[Edit, ...]:
        """Edits, read, with what `on` means; measured first if it has to be.

        Raises:
            EditError, CalibrationError, CancelledError.
        """
        return self._settled(parse_all(edits), work)

    @verb
    def trace_run(self, spec: RunSpec, work: Work = UNWATCHED) -> Trace:
        """The run of a spec, kept or made; its edits are settled.

        Raises:
            PromptError, EditError, MemoryLimitError, NumericalError, CancelledError.
        """
        return self._traced([spec], self._lenses.reading(), MEMORY_LIMIT, work)[0]

    def place(
        self, prompt: Prompt, position: int = -1, interventions: Edits = (), lens: Named | None = None
    ) -> RunPosition:
        """A position of a prompt's run, for `writers`, which reads it through the lens; arguments as for `trace`."""
        return RunPosition(self.trace(prompt, interventions, lens=lens), position)

    def writers(
        self,
        place: RunPosition,
        *,
        layer: int | None = None,
        against: RunPosition | None = None,
        layers: str | range | None = None,
        sign: AnySign = "both",
        expert: int | None = None,
        among: Sequence[str | UnitName] | None = None,
        limit: int = 20,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> SearchAnswer:
        """The value vectors that write a residual stream, or that tell two apart: the largest portions of its read-out.

        Args:
            place: a position of a run, from `place`.
            layer: the stream after this layer; None for the last.
            against: a place whose stream is subtracted, such as one of another prompt or of the same with edits.
            layers, sign, expert, among, limit: as for `search`; the sign is that of the coefficient.
            progress: told of the statistics, which are measured on first use, and of the search.
            cancel: set it to stop.

        Raises:
            OptionError: if something is out of range, or the model's layers end with a norm.
            CancelledError: if cancelled.
        """
        accepted = self._filter(layers, sign, expert, among, limit)
        return self.find_writers(place, accepted, layer=layer, against=against, progress=progress, cancel=cancel)

    @verb
    def find_writers(
        self,
        place: RunPosition,
        among: Filter,
        *,
        layer: int | None = None,
        against: RunPosition | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> SearchAnswer:
        """As `writers`, with the filter as a record."""
        accepted, work = self._checked(among), self._work(progress, cancel)
        return writers(self._index, place, accepted, layer=layer, against=against, work=work)

    @verb
    def recipe(self, recipe: str | os.PathLike[str] | Recipe, strength: float = 1.0) -> tuple[Edit, ...]:
        """The edits of a recipe, to be given as `interventions`. Directions that it carries are kept by their names.

        Args:
            recipe: path of its file, its text, or a `Recipe`.
            strength: from 0; all of its edits are made stronger or weaker together (1: as they are).

        Raises:
            RecipeError: if it cannot be read, or another direction is kept under the name of one that it carries.
            WrongModelError: if it was made for another model.
            EditError: if it names what the model does not have, its edits meet, or one cannot be scaled.
            OptionError: if the strength is not a number from 0.
        """
        if isinstance(recipe, str) and (recipe.lstrip("\ufeff \t\r\n").startswith("#") or "\n" in recipe):
            recipe = recipes.read(recipe)
        elif not isinstance(recipe, Recipe):
            recipe = recipes.read_file(recipe)
        edits = recipes.scaled(recipes.check(recipe, self._model), strength)
        self.unpack_recipe(recipe)
        return edits

    @verb
    def save_recipe(self, path: str | os.PathLike[str], name: str, interventions: Edits, *, note: str = "") -> Recipe:
        """Write edits to a recipe's file, for this model; a file that is there already is replaced.

        Args:
            path: of the file.
            name: what the edits stand for, such as `negative sentiment`.
            interventions: the edits.
            note: a text.

        Raises:
            RecipeError: if there are no edits, the name is not one line of text, or the file cannot be written.
            EditError: if an edit names what the model does not have, or two of them meet.
            DirectionError: if one names a direction that is not kept.
        """
        found = Recipe(
            name=name.strip(),
            fingerprint=self._model.fingerprint,
            model=self.summary.name,
            note=note,
            interventions=tuple(map(str, parse_all(interventions))),
        )
        recipes.check(found, self._model)
        found = self.pack_recipe(found)
        recipes.write_file(found, path)
        return found


def _without_effect(found: Continuation, baseline: Continuation | None) -> tuple[str, ...]:
    if baseline is None or found.tokens != baseline.tokens:
        return ()
    return ("The edits change nothing: the continuation and its probabilities are as they were without them.",)
