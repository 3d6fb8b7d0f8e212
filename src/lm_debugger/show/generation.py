"""A continuation as a document, coloured by probability; with edits, beside the one without them."""

from collections.abc import Sequence

from lm_debugger.records.generation import Continuation, GeneratedToken, Generation
from lm_debugger.records.visible import right_to_left
from lm_debugger.show.document import (
    Beside,
    Document,
    Line,
    Section,
    Span,
    TokenCell,
    Tone,
    line,
    muted,
    spread,
    warnings,
)
from lm_debugger.show.trace import edits
from lm_debugger.show.watch import series

# The least log-probability of each tone: about 50 %, 10 % and 1 %.
_TONES = ((-0.69, Tone.PLAIN), (-2.3, Tone.POSITIVE), (-4.6, Tone.NOTICE), (float("-inf"), Tone.NEGATIVE))
_LEGEND = ("≥50%", "≥10%", "≥1%", "<1%")
_ENDINGS = {
    "length": "token limit reached",
    "end": "end-of-text token",
    "stop": "stop string reached",
    "cancelled": "cancelled",
}


def generation(result: Generation) -> Document:
    """A continuation; when it was compared, side by side with the one without edits."""
    if result.baseline is None:
        return _written(result)
    first = first_difference(result.baseline.tokens, result.tokens)
    return (
        *edits(result.interventions),
        Beside(
            (
                Section("no edits", _written(result.baseline, first)),
                Section("edited", _written(result, first)),
            ),
            # A display that reorders right-to-left text reorders the whole line, across columns.
            apart=right_to_left(result.text) or right_to_left(result.baseline.text),
        ),
        _difference(result.baseline.tokens, result.tokens, first),
        line(Span("colour = probability  ", Tone.MUTED), *spread(_legend(), "  ")),
        *series(result.tokens, result.watches),
        *warnings(result.warnings),
    )


def generated(token: GeneratedToken, *, marked: bool = False) -> Span:
    """One token of running text in the tone of its probability."""
    return Span(token.text, next(tone for least, tone in _TONES if token.logprob >= least), marked=marked)


def first_difference(first: Sequence[GeneratedToken], second: Sequence[GeneratedToken]) -> int | None:
    """The index of the first token in which two continuations differ, None if they are the same."""
    for at, (one, other) in enumerate(zip(first, second, strict=False)):
        if one.id != other.id:
            return at
    return None if len(first) == len(second) else min(len(first), len(second))


def _legend() -> list[Span]:
    return [Span(text, tone) for text, (_, tone) in zip(_LEGEND, _TONES, strict=True)]


def _written(found: Continuation | Generation, marked: int | None = None) -> tuple[Line, Line]:
    """The tokens as running text, one of them marked; then length, ending, and how probable the model found it."""
    tokens = found.tokens
    mean = sum(token.logprob for token in tokens) / len(tokens) if tokens else 0.0
    count = "1 token" if len(tokens) == 1 else f"{len(tokens)} tokens"
    facts = f"{count}, {_ENDINGS.get(found.finish, found.finish)}, mean logprob {mean:.2f}"
    return line(*(generated(token, marked=at == marked) for at, token in enumerate(tokens))), muted(facts)


def _difference(baseline: Sequence[GeneratedToken], edited: Sequence[GeneratedToken], at: int | None) -> Line:
    """Where the texts part."""
    if at is None:
        return muted("Both continuations are the same.")
    pieces: list[Span | TokenCell] = [Span(f"first difference ▸ generated token {at + 1}: ", Tone.MUTED)]
    for tokens, before in ((baseline, ""), (edited, " → ")):
        pieces.append(Span(before, Tone.MUTED))
        if at < len(tokens):
            pieces.append(TokenCell(tokens[at].text, strong=True, most=24))
            pieces.append(Span(f" (logprob {tokens[at].logprob:.2f})", Tone.MUTED))
        else:
            pieces.append(Span("(ended)", Tone.MUTED))
    return line(*pieces)
