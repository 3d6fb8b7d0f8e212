r"""Names of directions of the residual stream, as an edit says them; what one is for a model is `steering`'s work.

    L12R(" Paris")                           a word, as the read-out reads it; one of several tokens: their mean
    L12R(" good" - " bad" by jacobian)       sums and differences of words; through a lens, without one the logit lens
    L12R(from "I hate you" to "I love you")  the difference of two prompts' streams there, at their last tokens
    L12R(polite)                             one that is kept (`lm-debugger direction`)
    L12R(random 7)                           a random one, by its seed: to compare others with
    L12R(" Paris" <> " London")              two, whose shares in the stream are exchanged
    L12-20R(…)                               at each of these layers; an exchange is made at the first and then held

Words stand in double quotes, with \" and \\ as in JSON: their spaces count.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal

from lm_debugger.errors import OptionError, ValueNameError
from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.lens import LOGIT

TERMS = 16  # words in one direction

_HEAD = re.compile(r"\s*L(\d{1,9})(?:\s*-\s*(\d{1,9}))?R\s*\(", re.IGNORECASE | re.ASCII)
_PART = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[a-z0-9][a-z0-9_-]*)|(?P<mark><>|[+-]))',
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_HELP = 'Write L12R(" Paris"), L12R("…" - "…"), L12R(from "…" to "…"), L12R(" Paris" <> " London") or L12R(NAME).'

DirectionKind = Literal["words", "prompts", "kept", "random", "swap"]


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a direction.

    Args:
        sign: 1 or -1.
        text: of a word or a prompt, the name of a kept direction, or a seed.
        random: whether the text is a seed.
    """

    sign: int
    text: str
    random: bool = False

    def __str__(self) -> str:
        return f"random {self.text}" if self.random else json.dumps(self.text, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class DirectionName:
    """Names a direction of the residual stream after one layer, or after each of several.

    Args:
        layer, last: the first and the last of the layers.
        kind: what it is made of.
        terms: the words; the two prompts, the one it comes from first; the one name; the two that are exchanged.
        lens: by which words become directions.
    """

    layer: int
    last: int
    kind: DirectionKind
    terms: tuple[Term, ...]
    lens: str = LOGIT

    @property
    def letters(self) -> str:
        """See `UnitName`."""
        return "R"

    @property
    def numbers(self) -> tuple[int, ...]:
        """See `UnitName`."""
        return ()

    @property
    def layers(self) -> range:
        """Where it is used."""
        return range(self.layer, self.last + 1)

    def __str__(self) -> str:
        at = f"L{self.layer}" if self.last == self.layer else f"L{self.layer}-{self.last}"
        return f"{at}R({self.what})"

    @property
    def what(self) -> str:
        """The text between the parentheses."""
        if self.kind == "kept":
            return self.terms[0].text
        if self.kind == "prompts":
            return f"from {self.terms[0]} to {self.terms[1]}"
        by = "" if self.lens == LOGIT else f" by {self.lens}"
        if self.kind == "swap":
            return f"{self.terms[0]} <> {self.terms[1]}{by}"
        first, *others = self.terms
        start = f"- {first}" if first.sign < 0 else str(first)
        return start + "".join(f" {'-' if term.sign < 0 else '+'} {term}" for term in others) + by


class DirectionSummary(Record):
    """What is known of a direction that is kept.

    Args:
        name: in edits, `L12R(name)`.
        model: whose it is, as it was named.
        fingerprint: of the model.
        made: of what, in words.
        layers: that it has a vector for.
        hidden: width of the stream.
    """

    name: str
    model: str
    fingerprint: str
    made: str
    layers: tuple[int, ...]
    hidden: int


class DirectionListing(Record):
    """Directions that are kept."""

    directions: tuple[DirectionSummary, ...]


_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{limits.LENS_NAME - 1}}}", re.ASCII)
_TAKEN = ("from", "random", "by", "to")


def check_direction_name(name: str) -> str:
    """The name, if a direction can be kept under it.

    Raises:
        OptionError: if not.
    """
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise OptionError(
            f"{name[: limits.LENS_NAME]!r} cannot name a direction.",
            f"Use lower-case letters, digits, - and _, at most {limits.LENS_NAME} in all, and not {', '.join(_TAKEN)}.",
        )
    return name


def split_direction(text: str) -> tuple[str, str] | None:
    """The text cut after a direction's closing parenthesis, or None if it does not begin as a direction does."""
    head = _HEAD.match(text)
    if head is None:
        return None
    quoted = False
    at = head.end()
    while at < len(text):
        if quoted and text[at] == "\\":
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif text[at] == ")" and not quoted:
            return text[: at + 1], text[at + 1 :]
        at += 1
    what = "a closing double quote" if quoted else "a closing parenthesis"
    raise ValueNameError(f"{_shown(text)} lacks {what}.", _HELP)


def read_direction(text: str) -> DirectionName:
    """Read a direction's name.

    Raises:
        ValueNameError: if the text is none.
    """
    cut = split_direction(text)
    if cut is None or cut[1].strip():
        raise ValueNameError(f"{_shown(text)} does not name a direction of the residual stream.", _HELP)
    head = _HEAD.match(text)
    assert head is not None
    first = int(head[1])
    last = first if head[2] is None else int(head[2])
    if last < first:
        raise ValueNameError(f"The layers of {_shown(text)} run backwards.", f"Write L{last}-{first}R(…).")
    return _Reader(text, first, last, cut[0][head.end() : -1]).name()


class _Reader:
    """Reads what stands between the parentheses."""

    def __init__(self, text: str, first: int, last: int, inside: str) -> None:
        self._text = text
        self._layers = first, last
        self._parts = self._cut(inside)

    def _cut(self, inside: str) -> list[tuple[str, str]]:
        parts: list[tuple[str, str]] = []
        at = 0
        while inside[at:].strip():
            match = _PART.match(inside, at)
            if match is None:
                raise self._error(f"{inside[at:].strip()[:20]!r} in {_shown(self._text)} cannot be read")
            kind = match.lastgroup
            assert kind is not None
            parts.append((kind, match[kind]))
            at = match.end()
        return parts

    def name(self) -> DirectionName:
        parts = self._parts
        if not parts:
            raise self._error(f"{_shown(self._text)} names no direction")
        kinds = [kind for kind, _ in parts]
        if kinds == ["word"]:
            return self._named("kept", (Term(1, parts[0][1].lower()),))
        if parts[0] == ("word", "from") or (kinds[0] == "word" and parts[0][1].lower() == "from"):
            if kinds != ["word", "text", "word", "text"] or parts[2][1].lower() != "to":
                raise self._error(f"{_shown(self._text)} is not of the form from … to …")
            return self._named("prompts", (self._term(1, parts[1]), self._term(1, parts[3])))
        return self._words()

    def _words(self) -> DirectionName:
        parts = list(self._parts)
        lens = LOGIT
        if len(parts) > 2 and parts[-2][0] == parts[-1][0] == "word" and parts[-2][1].lower() == "by":
            lens = parts[-1][1].lower()
            parts = parts[:-2]
        if parts[0] != ("mark", "-"):
            parts.insert(0, ("mark", "+"))
        marks: list[str] = []
        terms: list[Term] = []
        while parts:
            kind, mark = parts.pop(0)
            if kind != "mark":
                raise self._error(f"{_shown(self._text)} has two words with nothing between")
            if not parts:
                raise self._error(f"{_shown(self._text)} ends where a word is due")
            marks.append(mark)
            terms.append(self._next(-1 if mark == "-" else 1, parts))
        swap = "<>" in marks
        if swap and marks != ["+", "<>"]:
            raise self._error(f"{_shown(self._text)} does not exchange two directions")
        if len(terms) > TERMS:
            raise self._error(f"{_shown(self._text)} has more than {TERMS} words")
        if len(terms) == 1 and terms[0].random and terms[0].sign > 0:
            return self._named("random", tuple(terms))
        return self._named("swap" if swap else "words", tuple(terms), lens)

    def _next(self, sign: int, parts: list[tuple[str, str]]) -> Term:
        """The word or the random direction that the parts begin with; it is taken off them."""
        kind, text = parts.pop(0)
        if kind == "text":
            return self._term(sign, (kind, text))
        if text.lower() == "random" and parts and parts[0][1].isdecimal():
            return Term(sign, str(int(parts.pop(0)[1])), random=True)
        raise self._error(f"{text!r} in {_shown(self._text)} cannot be read")

    def _named(self, kind: DirectionKind, terms: tuple[Term, ...], lens: str = LOGIT) -> DirectionName:
        first, last = self._layers
        return DirectionName(first, last, kind, terms, lens)

    def _term(self, sign: int, part: tuple[str, str]) -> Term:
        try:
            text = json.loads(part[1], strict=False)
        except ValueError:
            raise self._error(f"{part[1][:40]} in {_shown(self._text)} is no text as JSON writes it") from None
        if not text:
            raise self._error(f"{_shown(self._text)} has an empty text")
        return Term(sign, text)

    def _error(self, what: str) -> ValueNameError:
        return ValueNameError(f"{what}.", _HELP)


def _shown(text: str) -> str:
    plain = text.strip()
    return repr(plain if len(plain) <= limits.UNIT_NAME else f"{plain[:40]}…")
