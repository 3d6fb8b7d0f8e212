"""A continuation for the terminal, coloured by probability; with edits, beside the one without them."""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from lm_debugger.records.generation import Continuation, GeneratedToken, Generation
from lm_debugger.records.visible import printable, right_to_left
from lm_debugger.show.cells import MUTED, fit
from lm_debugger.show.trace import warning_lines

# The least log-probability of each colour: about 50 %, 10 % and 1 %.
_STYLES = ((-0.69, ""), (-2.3, "green"), (-4.6, "yellow"), (float("-inf"), "red"))
_LEGEND = (("≥50%", ""), ("≥10%", "green"), ("≥1%", "yellow"), ("<1%", "red"))
_NARROW = 60
_ENDINGS = {
    "length": "token limit reached",
    "end": "end-of-text token",
    "stop": "stop string reached",
    "cancelled": "cancelled",
}


def generation(result: Generation) -> RenderableType:
    """A continuation; when it was compared, side by side with the one without edits."""
    if result.baseline is None:
        return Group(_text(result.tokens), Text(_facts(result.tokens, result.finish), MUTED))
    return Group(
        Text.assemble(("edits ", MUTED), ("  ".join(result.interventions), "bold")),
        _SideBySide(result, result.baseline),
        _difference(result.baseline.tokens, result.tokens),
        Text.assemble(("colour = probability  ", MUTED), Text("  ").join(Text(*entry) for entry in _LEGEND)),
        *warning_lines(result.warnings),
    )


def generated_token(token: GeneratedToken, *, marked: bool = False) -> Text:
    """One token of running text in the colour of its probability."""
    style = next(style for least, style in _STYLES if token.logprob >= least)
    text = Text(printable(token.text), style)
    return Text.assemble(("▸", "bold"), (text.plain, f"{style} reverse bold")) if marked else text


class _SideBySide:
    """The two texts in two columns; one above the other where columns would not hold."""

    def __init__(self, edited: Generation, baseline: Continuation) -> None:
        first = first_difference(baseline.tokens, edited.tokens)
        self.sides = (
            ("no edits", _text(baseline.tokens, first), _facts(baseline.tokens, baseline.finish)),
            ("edited", _text(edited.tokens, first), _facts(edited.tokens, edited.finish)),
        )
        # A display that reorders right-to-left text reorders the whole line, across columns.
        self.stacked = right_to_left(edited.text) or right_to_left(baseline.text)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.stacked or options.max_width < _NARROW:
            for title, text, facts in self.sides:
                yield from (Rule(title, align="left", style=MUTED), text, Text(facts, MUTED))
            return
        table = Table.grid(padding=(0, 3, 0, 0), expand=True)
        for _ in self.sides:
            table.add_column(ratio=1)
        table.add_row(*(Rule(Text(title, "bold"), align="left", style=MUTED) for title, _, _ in self.sides))
        table.add_row(*(text for _, text, _ in self.sides))
        table.add_row(*(Text(facts, MUTED) for _, _, facts in self.sides))
        yield table


def first_difference(first: Sequence[GeneratedToken], second: Sequence[GeneratedToken]) -> int | None:
    """The index of the first token in which two continuations differ, None if they are the same."""
    for at, (one, other) in enumerate(zip(first, second, strict=False)):
        if one.id != other.id:
            return at
    return None if len(first) == len(second) else min(len(first), len(second))


def _text(tokens: Sequence[GeneratedToken], marked: int | None = None) -> Text:
    """The tokens as running text, one of them marked."""
    return Text().join(generated_token(token, marked=at == marked) for at, token in enumerate(tokens))


def _facts(tokens: Sequence[GeneratedToken], finish: str) -> str:
    """Length, ending, and how probable the model found its own text."""
    mean = sum(token.logprob for token in tokens) / len(tokens) if tokens else 0.0
    count = "1 token" if len(tokens) == 1 else f"{len(tokens)} tokens"
    return f"{count}, {_ENDINGS.get(finish, finish)}, mean logprob {mean:.2f}"


def _difference(baseline: Sequence[GeneratedToken], edited: Sequence[GeneratedToken]) -> Text:
    """Where the texts part."""
    at = first_difference(baseline, edited)
    if at is None:
        return Text("Both continuations are the same.", MUTED)
    text = Text(f"first difference ▸ generated token {at + 1}: ", MUTED)
    for tokens, before in ((baseline, ""), (edited, " → ")):
        text.append(before, MUTED)
        if at < len(tokens):
            text.append(fit(tokens[at].text, 24), "bold").append(f" (logprob {tokens[at].logprob:.2f})", MUTED)
        else:
            text.append("(ended)", MUTED)
    return text
