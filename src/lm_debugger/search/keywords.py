r"""Reads a search's keywords and finds the tokens that write them. Knows nothing of vectors.

    teacher, school   keywords, with commas between; case and a leading space do not matter
    teach*            every token that begins so
    "New York", ","   exactly this text, case and spaces included; \n and \t stand for newline and tab
    /^ un.*able$/     every token that the regular expression finds; /…/i for any case

A keyword that no single token writes is a phrase: all the ways in which the tokenizer cuts it.

Expressions are RE2's: compiled within a fixed memory and matched in time that grows with the text alone, whatever is
written. It has no look-around and no references back.
"""

import bisect
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

import re2

from lm_debugger.errors import OptionError, PromptError
from lm_debugger.records import limits
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.work import UNWATCHED, Work

MOST = 512  # forms that one search may have

_OFTEN = 1024  # texts between two looks at whether the search is still wanted

_ITEM = re.compile(
    r"""\s*(?:
        "(?P<exact>(?:[^"\\]|\\.)*)"
      | /(?P<pattern>(?:[^/\\]|\\.)+)/(?P<flags>[a-z]*)
      | (?P<plain>[^,]*)
    )\s*(?:,|$)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class Pattern(NamedTuple):
    """A keyword as it was written, and what it asks for.

    Args:
        text: as the user wrote it.
        kind: `exact`, `prefix`, `regex` or `plain`.
        what: the text or expression to look for.
        any_case: for a regular expression.
    """

    text: str
    kind: str
    what: str
    any_case: bool = False


def parse(query: str) -> list[Pattern]:
    """Read keywords; empty ones are left out.

    Raises:
        OptionError: if something cannot be read, or there is more than `records.limits` allow.
    """
    if len(query) > limits.QUERY:
        raise OptionError(f"The keywords have {len(query):,} characters, more than {limits.QUERY:,}.", "Write fewer.")
    patterns = [pattern for pattern in map(_pattern, _ITEM.finditer(query)) if pattern is not None]
    for what, count, most in (
        ("keywords", len(patterns), limits.KEYWORDS),
        ("regular expressions", sum(pattern.kind == "regex" for pattern in patterns), limits.PATTERNS),
    ):
        if count > most:
            raise OptionError(f"{count} {what} are more than {most}.", "Search for fewer at once.")
    return patterns


def _pattern(item: re.Match[str]) -> Pattern | None:
    text = item[0].strip().removesuffix(",").rstrip()
    if item["exact"] is not None:
        what = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), item["exact"], flags=re.DOTALL)
        return Pattern(text, "exact", what) if what else None
    if item["pattern"] is not None:
        if item["flags"] not in ("", "i"):
            raise OptionError(f"{item['flags']!r} in {text!r} is no flag.", "The only one is i, for any case: /…/i.")
        return Pattern(text, "regex", item["pattern"], item["flags"] == "i")
    plain = item["plain"].strip()
    if len(plain) > 1 and plain.endswith("*"):
        return Pattern(plain, "prefix", plain[:-1])
    return Pattern(plain, "plain", plain) if plain else None


class Forms:
    """Finds the forms of keywords in a vocabulary.

    Args:
        vocabulary: the model's tokens.
        size: how many of them the model scores.
    """

    def __init__(self, vocabulary: Vocabulary, size: int) -> None:
        self._vocabulary = vocabulary
        self._size = size

    def find(self, pattern: Pattern, work: Work = UNWATCHED) -> list[tuple[int, ...]]:
        """The token ids of each form, single tokens by id.

        Raises:
            OptionError: if there is none, or there are too many.
            CancelledError: if cancelled.
        """
        work.go_on()
        found: list[tuple[int, ...]]
        if pattern.kind == "regex":
            found = [(token,) for token in self._by_expression(pattern, work)]
        elif pattern.kind == "prefix":
            found = [(token,) for token in self._beginning(pattern.what.strip().casefold())]
        elif pattern.kind == "exact":
            found = [(token,) for token in self._exactly.get(pattern.what, ())]
            found = found or self._cut([pattern.what])
        else:
            found = [(token,) for token in self._equal(pattern.what.casefold())] or self._cut(_spellings(pattern.what))
        if not found:
            raise OptionError(f"No token matches {pattern.text}.", "Write it in another way, or leave it out.")
        if len(found) > MOST:
            raise OptionError(
                f"{pattern.text} matches {len(found):,} tokens, more than {MOST}.", "Write something narrower."
            )
        return found

    def text(self, form: tuple[int, ...]) -> str:
        """What a form writes."""
        return "".join(self._texts[token] for token in form)

    @cached_property
    def _texts(self) -> list[str]:
        return [self._vocabulary.text(token) for token in range(self._size)]

    @cached_property
    def _encoded(self) -> list[bytes]:
        """What expressions look at, encoded once."""
        return [text.encode("utf-8", "replace") for text in self._texts]

    @cached_property
    def _exactly(self) -> dict[str, list[int]]:
        tokens: dict[str, list[int]] = {}
        for token, text in enumerate(self._texts):
            tokens.setdefault(text, []).append(token)
        return tokens

    @cached_property
    def _sorted(self) -> list[tuple[str, int]]:
        return sorted((text.strip().casefold(), token) for token, text in enumerate(self._texts) if text.strip())

    def _equal(self, what: str) -> Iterator[int]:
        return self._between((what,), (what, self._size))

    def _beginning(self, what: str) -> Iterator[int]:
        return self._between((what,), (what + "\U0010ffff",))

    def _between(self, low: tuple[object, ...], high: tuple[object, ...]) -> Iterator[int]:
        first = bisect.bisect_left(self._sorted, low)
        last = bisect.bisect_left(self._sorted, high)
        return iter(sorted(token for _, token in self._sorted[first:last]))

    def _by_expression(self, pattern: Pattern, work: Work) -> list[int]:
        options = re2.Options()
        options.max_mem, options.log_errors, options.never_capture = limits.PATTERN_BYTES, False, True
        options.case_sensitive = not pattern.any_case
        try:
            expression = re2.compile(pattern.what.encode("utf-8", "replace"), options)
        except re2.error as error:
            reason = error.args[0].decode("utf-8", "replace") if error.args else "it cannot be read"
            raise OptionError(
                f"{pattern.text} is no regular expression that can be searched for: {reason}.",
                "Put a backslash before signs that mean themselves; repeat at most 1000 times, and look at nothing "
                "before or behind (docs/method.md names the syntax).",
            ) from None
        found = []
        for token, text in enumerate(self._encoded):
            if token % _OFTEN == 0:
                work.go_on()
            if expression.search(text) is not None:
                found.append(token)
        return found

    def _cut(self, texts: Iterable[str]) -> list[tuple[int, ...]]:
        unknown = self._vocabulary.tokenizer.unk_token_id
        found = []
        for text in texts:
            try:
                ids = tuple(self._vocabulary.encode(text, special=False))
            except PromptError:  # nothing is left of the text, or it is not valid Unicode
                continue
            if unknown not in ids and all(token < self._size for token in ids):
                found.append(ids)
        return list(dict.fromkeys(found))


def _spellings(text: str) -> list[str]:
    """A phrase in the middle and at the beginning of a text, as written, in lower case and capitalised."""
    ways = dict.fromkeys((text, text.lower(), text[:1].upper() + text[1:]))
    return [start + way for way in ways for start in (" ", "")]
