"""The user's verbs on one loaded model: trace, generate, value, calibrate, examine. What `lm_debugger.load` returns."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from lm_debugger.calibration import measure as calibration
from lm_debugger.debugger.attribution import Attribution
from lm_debugger.debugger.bisecting import Bisecting
from lm_debugger.debugger.repair import Repair
from lm_debugger.debugger.trace import Trace
from lm_debugger.debugger.verb import verb
from lm_debugger.debugger.weights import Weights
from lm_debugger.edits import recipe as recipes
from lm_debugger.edits.grammar import parse_all
from lm_debugger.edits.validate import check_name
from lm_debugger.errors import EditError, OptionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.readouts.head import head_view
from lm_debugger.readouts.writers import RunPosition, writers
from lm_debugger.records.calibration import CalibrationSummary, CoefficientRange
from lm_debugger.records.edit import WITH_STRENGTH, Edit
from lm_debugger.records.examination import Examination
from lm_debugger.records.generation import Continuation, Generation, Sampling
from lm_debugger.records.head import HeadView
from lm_debugger.records.model import ModelSummary
from lm_debugger.records.names import HeadName, UnitName, ValueName
from lm_debugger.records.recipe import Recipe
from lm_debugger.records.search import AnySign, Filter, SearchAnswer
from lm_debugger.runs.generate import OnToken, Stops, continue_prompt
from lm_debugger.runs.run import MEMORY_LIMIT, run
from lm_debugger.runs.spec import RunSpec, settled
from lm_debugger.runs.store import RunStore
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.work import Progress, Work, silent

HEADS_KEPT = 1000  # read-outs of heads that are remembered
TOKENS = 4096  # measured where nobody says how many

Edits = Sequence[str | Edit]
Reopen = Callable[[LoadedModel], LoadedModel]


class Debugger(Weights, Attribution, Bisecting, Repair):
    """A model under the debugger. Its weights are never changed; every edit lives for one call.

    Where its user changes the weights (trains them, say), the next call proves the model anew and forgets what it knew
    of the old ones.

    Args:
        model: a model that was examined.
        reopen: proves the model anew.
        progress: told of long work.
    """

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
        self._heads: dict[tuple[HeadName, int], HeadView] = {}

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
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> HeadView:
        """What an attention head copies and suppresses, by its weights alone (its OV circuit). Kept once known.

        Args:
            name: such as `L12H3`.
            top_k: how many pairs of tokens on each side, 1 to 100.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            ValueNameError: if the model has no such head.
            OptionError: if top_k is out of range.
            CancelledError: if cancelled.
        """
        found = HeadName.parse(name) if isinstance(name, str) else name
        check_name(found, self._model)
        key = (found, top_k)
        if key not in self._heads:
            if len(self._heads) >= HEADS_KEPT:
                self._heads.clear()
            self._heads[key] = head_view(self._model, found, top_k, self._work(progress, cancel))
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
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> Trace:
        """Run a prompt once and keep everything for read-outs.

        Args:
            prompt: a text, or token ids.
            interventions: edits in force, such as `"L12D345=off"`. The trace then carries its baseline.
            progress: told of calibration, if an edit needs it.
            cancel: set it to stop.
            memory_limit: bytes that the trace may keep.

        Returns:
            A trace; `trace.view(position, top_k)` reads it out.

        Raises:
            PromptError, EditError, CalibrationError, MemoryLimitError, NumericalError, CancelledError.
        """
        return self.trace_batch([prompt], [interventions], progress=progress, cancel=cancel, memory_limit=memory_limit)[
            0
        ]

    @verb
    def trace_batch(
        self,
        prompts: Sequence[Prompt],
        interventions: Sequence[Edits] | None = None,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> tuple[Trace, ...]:
        """Run many prompts, each with its own edits; prompts of one length share a forward.

        Args:
            prompts: texts or token ids.
            interventions: for each prompt its edits, or None for no edits.

        Raises:
            OptionError: if there are not as many lists of edits as prompts; otherwise as `trace`.
        """
        if interventions is not None and len(interventions) != len(prompts):
            raise OptionError(
                f"{len(prompts)} prompts came with {len(interventions)} lists of edits.", "Give one list a prompt."
            )
        work = self._work(progress, cancel)
        model = self._model
        specs = [
            RunSpec.of_prompt(model.vocabulary.encode(prompt), self._settled(parse_all(edits), work))
            for prompt, edits in zip(prompts, interventions or [()] * len(prompts), strict=True)
        ]
        state = model.engine.state()

        def make(wanted: Sequence[RunSpec], bases: Sequence[Trace | None]) -> tuple[Trace, ...]:
            return run(
                model, wanted, kind=Trace, projections=self._projections, baselines=bases,
                memory_limit=memory_limit, work=work,
            )  # fmt: skip

        plain = [spec.base for spec in specs]
        bases = dict(
            zip(plain, self._runs.all(plain, state, lambda those: make(those, [None] * len(those))), strict=True)
        )
        found = self._runs.all(specs, state, lambda those: make(those, [bases[spec.base] for spec in those]))
        return tuple(found)

    @verb
    def find(self, prompt: Prompt, interventions: Edits = ()) -> Trace | None:
        """The trace of a prompt if it is kept: runs and measures nothing. Arguments as for `trace`."""
        edits = parse_all(interventions)
        if any(edit.operation in WITH_STRENGTH for edit in edits) and self._known_calibration() is None:
            return None
        spec = RunSpec.of_prompt(self._model.vocabulary.encode(prompt), self._settled(edits, Work()))
        return self._runs.find(spec, self._model.engine.state())

    def _settled(self, edits: Sequence[Edit], work: Work) -> tuple[Edit, ...]:
        """The edits with what `on` means; measured first if it has to be."""
        return settled(edits, partial(self._range, work=work))

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
            on_token: called with each token of the (edited) continuation as it comes.
            cancel: set it to stop; what was generated is returned.

        Raises:
            PromptError, OptionError, EditError, CalibrationError, NumericalError.
        """
        work = self._work(progress, cancel)
        edits = self._settled(parse_all(interventions), work)
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
        stops = Stops(max_new_tokens, (stop,) if isinstance(stop, str) else tuple(stop))
        if chat:
            if not isinstance(prompt, str):
                raise OptionError("chat needs a text, not token ids.", "Give the user's message as a text.")
            prompt = self._model.vocabulary.chat(prompt)
        ids = self._model.vocabulary.encode(prompt, special=not chat)

        def go(those: Sequence[Edit], listener: OnToken | None) -> Continuation:
            spec = RunSpec.of_prompt(ids, those)
            return continue_prompt(self._model, spec, sampling=sampling, stops=stops, on_token=listener, work=work)

        found = go(edits, on_token)
        baseline = go((), None) if edits and compare and found.finish != "cancelled" else None
        return Generation(
            prompt=prompt if isinstance(prompt, str) else self._model.vocabulary.decode(ids),
            text=found.text,
            tokens=found.tokens,
            finish=found.finish,
            interventions=tuple(map(str, edits)),
            baseline=baseline,
            warnings=_without_effect(found, baseline),
        )

    def place(self, prompt: Prompt, position: int = -1, interventions: Edits = ()) -> RunPosition:
        """A position of a prompt's run, for `writers`; arguments as for `trace`."""
        return RunPosition(self.trace(prompt, interventions), position)

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
        """The edits of a recipe, to be given as `interventions`.

        Args:
            recipe: path of its file, its text, or a `Recipe`.
            strength: from 0; all of its edits are made stronger or weaker together (1: as they are).

        Raises:
            RecipeError: if it cannot be read.
            WrongModelError: if it was made for another model.
            EditError: if it names what the model does not have, its edits meet, or one cannot be scaled.
            OptionError: if the strength is not a number from 0.
        """
        if isinstance(recipe, str) and (recipe.lstrip("\ufeff \t\r\n").startswith("#") or "\n" in recipe):
            recipe = recipes.read(recipe)
        elif not isinstance(recipe, Recipe):
            recipe = recipes.read_file(recipe)
        return recipes.scaled(recipes.check(recipe, self._model), strength)

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
        """
        found = Recipe(
            name=name.strip(),
            fingerprint=self._model.fingerprint,
            model=self.summary.name,
            note=note,
            interventions=tuple(map(str, parse_all(interventions))),
        )
        recipes.check(found, self._model)
        recipes.write_file(found, path)
        return found

    @verb
    def calibrate(
        self,
        text: str | os.PathLike[str] | None = None,
        *,
        tokens: int = TOKENS,
        seed: int = 0,
        force: bool = False,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> CalibrationSummary:
        """Measure the range of every coefficient: what `on` and `on-` mean. Kept in the cache.

        Args:
            text: path of a text file to measure over; None lets the model write the text itself.
            tokens: how many tokens to measure.
            seed: of the model's own text.
            force: measure again although a calibration is known. Without it a known one is used, unless it is over
                the model's own text and over fewer tokens than asked for.

        Raises:
            OptionError, CalibrationError, CancelledError.
        """
        start = time.perf_counter()
        calibration.check_tokens(tokens)
        known = None if force or text is not None else self._known_calibration()
        if known is None or (known.source == calibration.SELF_GENERATED and known.tokens < tokens):
            source = None if text is None else (Path(text).name, _read(Path(text)))
            known = self._measure(source, tokens, seed, self._work(progress, cancel))
            cached, seconds = False, time.perf_counter() - start
        else:
            cached, seconds = True, 0.0
        return CalibrationSummary(
            fingerprint=self._model.fingerprint,
            source=known.source,
            tokens=known.tokens,
            value_vectors=self._model.anatomy.value_vectors,
            seconds=seconds,
            cached=cached,
        )

    def _measure(self, source: tuple[str, str] | None, tokens: int, seed: int, work: Work) -> calibration.Calibration:
        model = self._model
        before = model.engine.state()
        known = calibration.calibrate(model, source, tokens=tokens, seed=seed, work=work)
        if model.engine.state() == before:  # else it is of weights that are gone
            calibration.keep(model, known)
        self._calibration = known
        return known

    def _known_calibration(self) -> calibration.Calibration | None:
        model = self._model
        if self._calibration is None:
            self._calibration = calibration.cached(model)
        return self._calibration

    def _known_range(self, name: UnitName) -> CoefficientRange | None:
        known = self._known_calibration()
        return known.range(name) if known else None

    @verb
    def coefficient_range(self, name: ValueName, progress: Progress | None = None) -> CoefficientRange:
        """A vector's range; calibrates first if that has not been done."""
        return self._range(name, self._work(progress, None))

    def _range(self, name: UnitName, work: Work) -> CoefficientRange:
        check_name(name, self._model)
        if name.letters not in {extent.letters for extent in self._model.vectors(name.layer)}:
            raise EditError(f"{name} has no range: it has no coefficient.", f"Write {name}=off or {name}*=0.5.")
        return self._ranges(work).range(name)

    def _ranges(self, work: Work) -> calibration.Calibration:
        return self._known_calibration() or self._measure(None, TOKENS, 0, work)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise OptionError(f"There is no file {path}.", "Give the path of a text file.") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise OptionError(f"{path} cannot be read as text: {failure}.", "Give the path of a UTF-8 text file.") from None


def _without_effect(found: Continuation, baseline: Continuation | None) -> tuple[str, ...]:
    if baseline is None or found.tokens != baseline.tokens:
        return ()
    return ("The edits change nothing: the continuation and its probabilities are as they were without them.",)
