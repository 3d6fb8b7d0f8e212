"""The user's verbs on one loaded model: trace, generate, value, calibrate, examine. What `lm_debugger.load` returns."""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from lm_debugger.calibration import measure as calibration
from lm_debugger.debugger.weights import Weights
from lm_debugger.edits import recipe as recipes
from lm_debugger.edits.grammar import parse_all
from lm_debugger.errors import OptionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.progress import Progress, silent
from lm_debugger.readouts.writers import RunPosition, writers
from lm_debugger.records.calibration import CalibrationSummary, CoefficientRange
from lm_debugger.records.edit import Edit
from lm_debugger.records.examination import Examination
from lm_debugger.records.generation import Continuation, Generation, Sampling
from lm_debugger.records.model import ModelSummary
from lm_debugger.records.names import ValueName
from lm_debugger.records.recipe import Recipe
from lm_debugger.records.search import AnySign, Filter, SearchAnswer
from lm_debugger.runs.generate import OnToken, continue_prompt
from lm_debugger.runs.run import MEMORY_LIMIT, Trace, run
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.work import Work

KEPT_TRACES = 8
KEPT_BYTES = 4 << 30  # that kept traces may hold together

Edits = Sequence[str | Edit]


class Debugger(Weights):
    """A model under the debugger. Its weights are never changed; every edit lives for one call.

    Args:
        model: a model that was examined.
        progress: told of long work.
    """

    def __init__(self, model: LoadedModel, progress: Progress = silent) -> None:
        super().__init__(model, progress)
        self._model = model
        self._calibration: calibration.Calibration | None = None
        self._traces: OrderedDict[tuple[object, ...], Trace] = OrderedDict()

    def __repr__(self) -> str:
        return f"Debugger({self.summary.name}, {self.summary.layers} layers)"

    @property
    def summary(self) -> ModelSummary:
        """The model's name, size and fingerprint."""
        return self._model.summary

    @property
    def model(self) -> LoadedModel:
        """The loaded model: network, vocabulary, anatomy, value vectors."""
        return self._model

    def examine(self) -> Examination:
        """The report of how the model's anatomy was found and proved."""
        return self._model.examination

    def trace(
        self,
        prompt: Prompt,
        interventions: Edits = (),
        *,
        progress: Progress | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> Trace:
        """Run a prompt once and keep everything for read-outs.

        Args:
            prompt: a text, or token ids.
            interventions: edits in force, such as `"L12D345=off"`. The trace then carries its baseline.
            progress: told of calibration, if an edit needs it.
            memory_limit: bytes that the trace may keep.

        Returns:
            A trace; `trace.view(position, top_k)` reads it out.

        Raises:
            PromptError, EditError, CalibrationError, MemoryLimitError, NumericalError.
        """
        return self.trace_batch([prompt], [interventions], progress=progress, memory_limit=memory_limit)[0]

    def trace_batch(
        self,
        prompts: Sequence[Prompt],
        interventions: Sequence[Edits] | None = None,
        *,
        progress: Progress | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> tuple[Trace, ...]:
        """Run many prompts, each with its own edits; prompts of one length share a forward.

        Args:
            prompts: texts or token ids.
            interventions: for each prompt its edits, or None for no edits.

        Raises:
            OptionError: if there are not as many lists of edits as prompts; otherwise as `trace`.
        """
        ids = [tuple(self._model.vocabulary.encode(prompt)) for prompt in prompts]
        edits = [parse_all(row) for row in interventions] if interventions is not None else [()] * len(ids)
        if len(edits) != len(ids):
            raise OptionError(f"{len(ids)} prompts came with {len(edits)} lists of edits.", "Give one list a prompt.")
        self._run([(row, ()) for row in ids], progress, memory_limit)
        self._run(list(zip(ids, edits, strict=True)), progress, memory_limit)
        return tuple(self._traces[_key(row, those)] for row, those in zip(ids, edits, strict=True))

    def _run(
        self, wanted: Sequence[tuple[tuple[int, ...], tuple[Edit, ...]]], progress: Progress | None, memory_limit: int
    ) -> None:
        """Run what is not known yet, and keep the last few traces besides those wanted."""
        missing = [pair for pair in dict.fromkeys(wanted) if _key(*pair) not in self._traces]
        if missing:
            traces = run(
                self._model,
                [ids for ids, _ in missing],
                [edits for _, edits in missing],
                projections=self._projections,
                ranges=self._ranges(progress),
                baselines=[self._traces[_key(ids, ())] if edits else None for ids, edits in missing],
                memory_limit=memory_limit,
            )
            for pair, trace in zip(missing, traces, strict=True):
                self._traces[_key(*pair)] = trace
        for pair in wanted:
            self._traces.move_to_end(_key(*pair))
        while len(self._traces) > 2 * len(wanted) and (len(self._traces) > KEPT_TRACES or self._held() > KEPT_BYTES):
            self._traces.popitem(last=False)

    def _held(self) -> int:
        """Bytes that the kept traces hold together."""
        return sum({trace.batch: trace.memory for trace in self._traces.values()}.values())

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
        edits = parse_all(interventions)
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
        if chat:
            if not isinstance(prompt, str):
                raise OptionError("chat needs a text, not token ids.", "Give the user's message as a text.")
            prompt = self._model.vocabulary.chat(prompt)
        ids = self._model.vocabulary.encode(prompt, special=not chat)
        stops = (stop,) if isinstance(stop, str) else tuple(stop)

        def go(those: Sequence[Edit], listener: OnToken | None) -> Continuation:
            return continue_prompt(
                self._model, ids, those, max_new_tokens=max_new_tokens, sampling=sampling,
                ranges=self._ranges(progress), stop=stops, on_token=listener, cancel=cancel,
            )  # fmt: skip

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
        among: Sequence[str | ValueName] | None = None,
        limit: int = 20,
        progress: Progress | None = None,
    ) -> SearchAnswer:
        """The value vectors that write a residual stream, or that tell two apart: the largest portions of its read-out.

        Args:
            place: a position of a run, from `place`.
            layer: the stream after this layer; None for the last.
            against: a place whose stream is subtracted, such as one of another prompt or of the same with edits.
            layers, sign, expert, among, limit: as for `search`; the sign is that of the coefficient.

        Raises:
            OptionError: if something is out of range, or the model's layers end with a norm.
        """
        accepted = self._filter(layers, sign, expert, among, limit)
        return self.find_writers(place, accepted, layer=layer, against=against, progress=progress)

    def find_writers(
        self,
        place: RunPosition,
        among: Filter,
        *,
        layer: int | None = None,
        against: RunPosition | None = None,
        progress: Progress | None = None,
    ) -> SearchAnswer:
        """As `writers`, with the filter as a record."""
        among = self._checked(among)
        work = Work(progress or self._progress)
        return writers(self._index, place, among, layer=layer, against=against, work=work)

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

    def calibrate(
        self,
        text: str | os.PathLike[str] | None = None,
        *,
        tokens: int = 4096,
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
            known = calibration.calibrate(
                self._model, source, tokens=tokens, seed=seed, progress=progress or self._progress, cancel=cancel
            )
            self._calibration = known
            self._traces.clear()  # `on` may mean something else now
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

    def _known_calibration(self) -> calibration.Calibration | None:
        if self._calibration is None:
            self._calibration = calibration.cached(self._model)
        return self._calibration

    def _known_range(self, name: ValueName) -> CoefficientRange | None:
        known = self._known_calibration()
        return known.range(name) if known else None

    def _ranges(self, progress: Progress | None) -> "_Ranges":
        return _Ranges(self, progress)

    def coefficient_range(self, name: ValueName, progress: Progress | None = None) -> CoefficientRange:
        """A vector's range; calibrates first if that has not been done."""
        if self._known_calibration() is None:
            self.calibrate(progress=progress)
        known = self._known_calibration()
        assert known is not None
        return known.range(name)


class _Ranges:
    """Ranges that are measured when first asked for."""

    def __init__(self, debugger: Debugger, progress: Progress | None) -> None:
        self._debugger = debugger
        self._progress = progress

    def __call__(self, name: ValueName) -> CoefficientRange:
        return self._debugger.coefficient_range(name, self._progress)


def _key(ids: tuple[int, ...], edits: tuple[Edit, ...]) -> tuple[object, ...]:
    return (ids, tuple(map(str, edits)))


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
