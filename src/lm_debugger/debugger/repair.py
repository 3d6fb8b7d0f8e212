"""The verbs that change what a model does, and measure what that does elsewhere: what `Debugger` adds to editing."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from statistics import mean

from lm_debugger.attribution.question import Word
from lm_debugger.calibration.measure import Calibration
from lm_debugger.debugger.trace import Trace
from lm_debugger.edits.grammar import parse_all
from lm_debugger.engine.guard import exact
from lm_debugger.errors import EditError, OptionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.edit import Edit, read_edited
from lm_debugger.records.effects import SideEffects, Sweep, SweptOperation
from lm_debugger.records.fix import Fix, FixCase, Fixes, FixOptions
from lm_debugger.records.generation import Generation
from lm_debugger.records.names import UnitName
from lm_debugger.repair.effects import side_effects, texts_of
from lm_debugger.repair.everything import Everything
from lm_debugger.repair.fix import Answer, fix
from lm_debugger.repair.goal import Goal, goal
from lm_debugger.repair.held import Held, among, own
from lm_debugger.repair.sweep import edits as edits_of
from lm_debugger.repair.sweep import operation_of, strengths, sweep
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.work import Progress, Work

Edits = Sequence[str | Edit]
Words = Word | Sequence[Word]
PLAIN = FixOptions()
MOST_POINTS = 101  # of a sweep
GONE_ON = 20  # tokens


class Repair(ABC):
    """A part of `Debugger`: fixes and what they cost."""

    _everything: tuple[LoadedModel, Calibration, Everything, Held] | None = None

    @property
    @abstractmethod
    def model(self) -> LoadedModel:
        """See `Debugger`."""

    @abstractmethod
    def trace_batch(
        self,
        prompts: Sequence[Prompt],
        interventions: Sequence[Edits] | None = None,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> tuple[Trace, ...]:
        """See `Debugger`."""

    @abstractmethod
    def generate(
        self,
        prompt: Prompt,
        interventions: Edits = (),
        *,
        max_new_tokens: int = 20,
        temperature: float = 0.0,
        seed: int = 0,
        cancel: threading.Event | None = None,
    ) -> Generation:
        """See `Debugger`."""

    @abstractmethod
    def _settled(self, edits: Sequence[Edit], work: Work) -> tuple[Edit, ...]:
        """The edits with what `on` means."""

    @abstractmethod
    def _work(self, progress: Progress | None, cancel: threading.Event | None) -> Work:
        """See `Debugger`."""

    @abstractmethod
    def _ranges(self, work: Work) -> Calibration:
        """The calibration; measured first if it has to be."""

    @exact
    def fix(
        self,
        prompt: Prompt,
        target: Words = (),
        *,
        avoid: Words = (),
        position: int = -1,
        interventions: Edits = (),
        held: Sequence[Prompt] | None = None,
        max_edits: int | None = None,
        options: FixOptions = PLAIN,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Fix:
        """The smallest set of edits that makes a wanted token the top one.

        Edits are found by slopes, within calibrated ranges, tried in real forwards, and pruned. What they do to the
        prediction and to other texts is kept low. If none is found, the answer holds those that come closest.

        Args:
            prompt: a text, or token ids.
            target: the token wanted (its text with its leading space, or its id), or several of which any will do.
            avoid: a token that is not to be the top one, or several.
            position: the position that predicts the token; negative ones count from the end.
            interventions: edits that stay in force.
            held: texts that should stay as they are, such as paraphrases and other prompts; None for texts that the
                model writes itself. They are looked at by the search and by the report alike.
            max_edits: the most edits that it may take; None for what the options say.
            options: how far to go.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            OptionError: if there is nothing to reach, a word is no token, or something is out of range; otherwise as
                `trace`.
        """
        if max_edits is not None:
            options = FixOptions.model_validate(options.model_dump() | {"max_edits": max_edits})
        asked = [(prompt, _words(target), position)]
        found = self._fixed(asked, _words(avoid), interventions, held, options, self._work(progress, cancel))
        return found.fixes[0]

    @exact
    def fix_all(
        self,
        cases: Sequence[FixCase],
        *,
        avoid: Words = (),
        interventions: Edits = (),
        held: Sequence[Prompt] | None = None,
        options: FixOptions = PLAIN,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Fixes:
        """Several predictions fixed with one set of edits. Arguments as for `fix`.

        Args:
            cases: prompts with the token wanted after each.

        Raises:
            OptionError: if there are no cases; otherwise as `fix`.
        """
        if not cases:
            raise OptionError("There is nothing to fix.", "Give one case or more.")
        asked = [(case.prompt, (case.target,), case.position) for case in cases]
        found = self._fixed(asked, _words(avoid), interventions, held, options, self._work(progress, cancel))
        fixed = sum(each.success for each in found.fixes)
        return Fixes(
            fixes=found.fixes,
            success=fixed == len(found.fixes),
            fixed=fixed,
            edits=found.edits,
            kl=mean(each.kl for each in found.fixes),
            side_effects=found.effects,
            forwards=found.forwards,
            seconds=found.seconds,
            warnings=found.warnings,
        )

    @exact
    def sweep(
        self,
        prompt: Prompt,
        unit: str | UnitName,
        target: Word | None = None,
        position: int = -1,
        interventions: Edits = (),
        *,
        operation: SweptOperation | None = None,
        low: float | None = None,
        high: float | None = None,
        points: int = 11,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Sweep:
        """One edit over a range of strengths: a token's probability and rank, and how far the prediction moves.

        Args:
            prompt: a text, or token ids.
            unit: such as `L12D345`, `L12H3` or `L12R(" Paris")`.
            target: the token to follow; None for the top one without the edit.
            position: where to read; negative ones count from the end.
            interventions: edits in force before and after.
            operation: `set` the coefficient (a value vector's default), `add` to it (a direction's), or `scale` the
                unit (a head's).
            low, high: of the strength; None for the calibrated range (`on-` to `on`), for 0 to 2 of a factor, and for
                -2 to 2 typical lengths of the stream along a direction.
            points: how many strengths, 2 to 101.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            ValueNameError: if the model has no such unit.
            OptionError: if something is out of range; otherwise as `trace`.
        """
        if not 2 <= points <= MOST_POINTS:
            raise OptionError(f"points is {points}.", f"It must be 2 to {MOST_POINTS}.")
        work = self._work(progress, cancel)
        name = read_edited(unit) if isinstance(unit, str) else unit
        chosen = operation_of(self.model, name, operation)
        amounts = strengths(name, chosen, (low, high), points, lambda: self._ranges(work))
        each = edits_of(name, chosen, amounts)
        force = parse_all(interventions)
        work("Sweeping", 0, points)
        base, *found = self.trace_batch(
            [prompt] * (points + 1), [force, *((*force, edit) for edit in each)], progress=progress, cancel=cancel
        )
        return sweep(base, list(zip(amounts, each, found, strict=True)), name, chosen, target, position)

    @exact
    def side_effects(
        self,
        interventions: Edits,
        held: Sequence[Prompt] | None = None,
        *,
        continuations: int = 3,
        seed: int = 0,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> SideEffects:
        """What edits do to texts that they are not meant for, beside random edits of equal size.

        Args:
            interventions: the edits.
            held: the texts; None for 24 that the model writes itself.
            continuations: how many texts are gone on from, without and with the edits: those that change most.
            seed: of the model's own texts, the random edits and the sampling.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            EditError: if there are no edits, or they name what the model does not have.
            OptionError: if a text is too short.
        """
        work = self._work(progress, cancel)
        edits = self._settled(parse_all(interventions), work)
        if not edits:
            raise EditError("There are no edits to measure.", "Give one or more, such as L12D345=off.")
        texts = texts_of(self.model, held, seed, work)

        def continued(ids: Sequence[int]) -> tuple[str, str]:
            found = self.generate(ids, edits, max_new_tokens=GONE_ON, temperature=1.0, seed=seed, cancel=cancel)
            return ("" if found.baseline is None else found.baseline.text), found.text

        return side_effects(self.model, edits, texts, continued, continuations, seed, work)

    def _fixed(
        self,
        asked: Sequence[tuple[Prompt, Sequence[Word], int]],
        avoided: Sequence[Word],
        interventions: Edits,
        held: Sequence[Prompt] | None,
        options: FixOptions,
        work: Work,
    ) -> Answer:
        edits = parse_all(interventions)
        prompts = [prompt for prompt, _, _ in asked]
        traces = self._all_under(prompts, edits, work)
        goals: list[Goal] = [
            goal(run, wanted, avoided, position) for run, (_, wanted, position) in zip(traces, asked, strict=True)
        ]
        everything, texts = self._prepared(held, work)

        def runs(found: tuple[Edit, ...]) -> Sequence[Trace]:
            return self._all_under(prompts, (*edits, *found), work)

        return fix(goals, everything, texts, options, runs=runs, work=work)

    def _all_under(self, prompts: Sequence[Prompt], edits: Sequence[Edit], work: Work) -> tuple[Trace, ...]:
        return self.trace_batch(prompts, [edits] * len(prompts), progress=work.progress, cancel=work.cancel)

    def _prepared(self, held: Sequence[Prompt] | None, work: Work) -> tuple[Everything, Held]:
        """The model's units with their ranges, and the texts to leave alone; kept as long as the weights stay."""
        model, ranges = self.model, self._ranges(work)
        kept = self._everything
        if kept is None or kept[0] is not model or kept[1] is not ranges:
            everything = Everything(model, ranges)
            kept = self._everything = (model, ranges, everything, own(everything, work))
        if held is None:
            return kept[2], kept[3]
        texts = [model.vocabulary.encode(text) for text in held]
        if not texts or min(map(len, texts)) < 2:
            raise OptionError("A text that is to stay as it is has fewer than two tokens.", "Leave it out.")
        return kept[2], among(kept[2], texts, texts, work)


def _words(given: Words) -> tuple[Word, ...]:
    return (given,) if isinstance(given, str | int) else tuple(given)
