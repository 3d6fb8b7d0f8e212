"""Where two runs part, of one model or of two: what `Debugger` adds to patching."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence

from lm_debugger.attribution.bisect import bisect
from lm_debugger.debugger.trace import Trace
from lm_debugger.edits.grammar import parse_all
from lm_debugger.engine.guard import exact
from lm_debugger.errors import OptionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records import limits
from lm_debugger.records.bisect import Bisection
from lm_debugger.records.edit import Edit
from lm_debugger.records.generation import Generation
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.work import Progress, Work

Edits = Sequence[str | Edit]


class Bisecting(ABC):
    """A part of `Debugger`: where two runs part."""

    @property
    @abstractmethod
    def model(self) -> LoadedModel:
        """See `Debugger`."""

    @abstractmethod
    def trace(
        self,
        prompt: Prompt,
        interventions: Edits = (),
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Trace:
        """See `Debugger`."""

    @abstractmethod
    def generate(
        self,
        prompt: Prompt,
        interventions: Edits = (),
        *,
        max_new_tokens: int = 20,
        compare: bool = True,
        cancel: threading.Event | None = None,
        progress: Progress | None = None,
    ) -> Generation:
        """See `Debugger`."""

    @abstractmethod
    def _work(self, progress: Progress | None, cancel: threading.Event | None) -> Work:
        """See `Debugger`."""

    @exact
    def bisect(
        self,
        prompt: Prompt,
        source: Prompt | None = None,
        *,
        other: "Bisecting | None" = None,
        position: int = -1,
        interventions: Edits = (),
        source_interventions: Edits = (),
        max_new_tokens: int = limits.BISECT_TOKENS,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Bisection:
        """The layer, the part and the units at which taking over another run's activations flips the answer.

        The other run is that of another prompt (`source`), of another model of the same shape (`other`), or, without
        both, of the same prompt with the edits.

        Args:
            prompt: a text, or token ids.
            source: the other prompt; texts of different lengths are aligned at the tokens that differ.
            other: the other model under the debugger. Both continue the prompt greedily; what is bisected is the first
                token in which they differ.
            position: whose prediction is compared; negative ones count from the end. With another model it must be the
                last.
            interventions: edits in force in this run; without a source and another model, in the other one.
            source_interventions: edits in force in the run of `source`.
            max_new_tokens: most tokens that two models write, 0 to 1000; 0 compares the next token only, at `position`.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            OptionError: if there is nothing to compare with, the models differ in shape or in how they cut the text
                into tokens, or something is out of range; otherwise as `trace`.
        """
        work = self._work(progress, cancel)
        edits = parse_all(interventions)
        if source is not None and other is not None:
            raise OptionError("Both another prompt and another model are given.", "Give one of them.")
        if other is not None:
            if source_interventions:
                raise OptionError("Edits of another prompt do not go with another model.", "Give one of them.")
            return self._between_models(prompt, other, position, edits, max_new_tokens, work)
        theirs = parse_all(source_interventions)
        if theirs and source is None:
            raise OptionError("There are edits of another prompt, but there is none.", "Give the other prompt, too.")
        if source is None and not edits:
            raise OptionError("There is no other run.", "Give another prompt, another model, or an edit.")
        first = self.trace(prompt, edits if source is not None else (), progress=work.progress, cancel=work.cancel)
        second = self.trace(
            prompt if source is None else source, edits if source is None else theirs,
            progress=work.progress, cancel=work.cancel,
        )  # fmt: skip
        return bisect(first, second, position, 0, work)

    def _between_models(
        self, prompt: Prompt, other: "Bisecting", position: int, edits: Sequence[Edit], most: int, work: Work
    ) -> Bisection:
        if not 0 <= most <= limits.BISECT_TOKENS_MOST:
            raise OptionError(f"max_new_tokens is {most}.", f"It must be from 0 to {limits.BISECT_TOKENS_MOST}.")
        check_alike(self, other)
        ids = self.model.vocabulary.encode(prompt)
        if isinstance(prompt, str) and other.model.vocabulary.encode(prompt) != ids:
            raise OptionError("The models cut the prompt into different tokens.", "Give token ids.")
        if not most or position not in (-1, len(ids) - 1):
            runs = [each.trace(ids, edits, progress=work.progress, cancel=work.cancel) for each in (self, other)]
            return bisect(runs[0], runs[1], position, 0, work)
        work("Writing until the models differ")
        alike, ties = 0, []
        while True:
            texts = [
                [token.id for token in each.generate(ids, edits, max_new_tokens=most - alike, compare=False,
                                                     progress=work.progress, cancel=work.cancel).tokens]
                for each in (self, other)
            ]  # fmt: skip
            work.go_on()
            same = next((n for n, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
            ids, alike = [*ids, *texts[0][:same]], alike + same
            agree = len(texts[0]) == len(texts[1]) == same
            if agree and alike:  # the last token stands for all
                ids, alike = ids[:-1], alike - 1
            runs = [each.trace(ids, edits, progress=work.progress, cancel=work.cancel) for each in (self, other)]
            wrote = [text[same : same + 1] for text in texts]
            if agree or not all(wrote) or _best(runs[0]) != _best(runs[1]) or alike + 1 >= most:
                break
            ties.append(_tie(self.model, alike, wrote[0][0], wrote[1][0]))
            ids, alike = [*ids, *wrote[0]], alike + 1
        found = bisect(runs[0], runs[1], -1, alike, work)
        return found.model_copy(update={"warnings": (*ties, *found.warnings)})


def _best(run: Trace) -> int:
    return int(run.logits(-1).argmax())


def _tie(model: LoadedModel, after: int, one: int, other: int) -> str:
    """What is said of tokens that differ where a forward of the whole text gives both models the same."""
    texts = [repr(model.vocabulary.text(token)) for token in (one, other)]
    return (
        f"After {after} tokens the models wrote {texts[0]} and {texts[1]}, but run over the whole text they answer "
        f"alike: rounding decided. The text goes on with {texts[0]}."
    )


def check_alike(one: Bisecting, other: Bisecting) -> None:
    """Raise OptionError unless two models have the same shape."""
    models = (one.model, other.model)
    shapes = [
        (
            model.anatomy.hidden_size, model.anatomy.readout.vocabulary,
            tuple(tuple((extent.letters, extent.sizes) for extent in model.extents(at)) for at in range(model.layers)),
        )
        for model in models
    ]  # fmt: skip
    if shapes[0] != shapes[1]:
        names = [f"{model.summary.architecture} ({model.layers} layers)" for model in models]
        raise OptionError(
            f"The models differ in shape: {names[0]} and {names[1]}.", "Compare two models of one architecture."
        )
