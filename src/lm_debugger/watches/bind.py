"""A watch bound to a model: its words are tokens, its units exist, and what has to be recorded for it is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import re2

from lm_debugger.edits.validate import check_name
from lm_debugger.engine.sites import Site
from lm_debugger.errors import OptionError, ValueNameError, WatchError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records import limits
from lm_debugger.records.visible import visible
from lm_debugger.records.watch import WatchKind
from lm_debugger.source.words import tokens_of
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.unit import ValueGroup
from lm_debugger.watches.expression import Call, Expression, Infix, Match, Prefix, Text, TokenId, Unit
from lm_debugger.watches.grammar import parse, parse_condition


@dataclass(frozen=True)
class Watch:
    """A watch that can be evaluated.

    Args:
        expression: as it was read.
        tokens: the token of each word that is an argument, by place.
        patterns: the compiled patterns, by place.
        sites: what has to be recorded for it.
        based: whether it needs the run without edits.
        warnings: what is odd in its words.
    """

    expression: Expression
    tokens: dict[int, int]
    patterns: dict[int, Any]
    sites: tuple[Site, ...]
    based: bool
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        return str(self.expression)

    @property
    def kind(self) -> WatchKind:
        """What it gives."""
        return self.expression.gives.value


def bind(text: str, model: LoadedModel) -> Watch:
    """Read a watch for a model.

    Raises:
        WatchError: if it cannot be read, or names a token or unit that the model does not have.
    """
    return _bound(parse(text), text, model)


def bind_condition(text: str, model: LoadedModel) -> Watch:
    """Read a condition to stop at; see `grammar.parse_condition`.

    Raises:
        WatchError: as `bind`, and if it is no condition.
    """
    found = parse_condition(text)
    return _bound(found, text if str(found) == text else str(found), model)


def _bound(expression: Expression, text: str, model: LoadedModel) -> Watch:
    if isinstance(expression, Text | TokenId):
        cure = f"Write for instance p({expression}) or top() == {expression}."
        raise WatchError(f"{expression} alone is no watch.", cure, expression.at)
    return _Binding(text, model).watch(expression)


class _Binding:
    """Looks every word, unit and pattern of an expression up in a model."""

    def __init__(self, text: str, model: LoadedModel) -> None:
        self._text = text
        self._model = model
        self._tokens: dict[int, int] = {}
        self._patterns: dict[int, Any] = {}
        self._sites: dict[Site, None] = {}
        self._warnings: dict[str, None] = {}

    def watch(self, expression: Expression) -> Watch:
        parts = list(_parts(expression))
        for part in parts:
            match part:
                case Call():
                    self._call(part)
                case Unit():
                    self._unit(part)
                case Infix(sign="==" | "!=", left=left, right=right):
                    self._compared(left, right)
                    self._compared(right, left)
                case Match():
                    self._patterns[part.at] = _pattern(part.pattern, part.any_case, self._text, part.at)
                case _:
                    pass
        based = any(isinstance(part, Call) and part.base for part in parts)
        return Watch(
            expression, self._tokens, self._patterns, tuple(self._sites), based=based, warnings=tuple(self._warnings)
        )

    def _call(self, part: Call) -> None:
        for argument in part.arguments:
            if isinstance(argument, Text | TokenId):
                token, warning = _token(argument, self._model, self._text)
                self._tokens[argument.at] = token
                self._warnings |= dict.fromkeys(warning)
        if part.word is not None:
            self._sites |= dict.fromkeys(self._model.blocks[-1].sites)

    def _unit(self, part: Unit) -> None:
        where = f"Character {part.at + 1} of {self._text!r}"
        try:
            check_name(part.name, self._model)
        except ValueNameError as error:
            raise WatchError(f"{where}: {error.what}", error.cure, part.at) from None
        group, _ = self._model.unit(part.name)
        if not isinstance(group, ValueGroup | HeadGroup):
            raise WatchError(f"{where}: {part.name} has no number to watch.", "", part.at)
        if isinstance(group, HeadGroup):
            self._sites |= dict.fromkeys(self._model.blocks[part.name.layer].sites)
        else:
            self._sites |= dict.fromkeys(group.coefficient_sites)

    def _compared(self, one: Expression, other: Expression) -> None:
        if isinstance(one, Text | TokenId) and isinstance(other, Call) and other.function != "text":
            self._tokens[one.at] = _whole(one, self._model, self._text)


def _parts(expression: Expression) -> Iterator[Expression]:
    due = [expression]
    while due:
        part = due.pop()
        yield part
        match part:
            case Call(arguments=arguments):
                due.extend(arguments)
            case Infix(left=left, right=right):
                due += [left, right]
            case Prefix(inside=inside) | Match(inside=inside):
                due.append(inside)
            case _:
                pass


def _token(argument: Text | TokenId, model: LoadedModel, text: str) -> tuple[int, tuple[str, ...]]:
    """The token that a word stands for; of several the first, with a warning."""
    size = model.readout.vocabulary
    if isinstance(argument, TokenId):
        return _known(argument, model, text), ()
    try:
        found = tokens_of(model.vocabulary, argument.value, size)
    except OptionError as error:
        raise WatchError(f"Character {argument.at + 1} of {text!r}: {error.what}", error.cure, argument.at) from None
    if len(found) == 1:
        return found[0], ()
    cut = " ".join(visible(model.vocabulary.text(token)) for token in found)
    first = visible(model.vocabulary.text(found[0]))
    warning = f"{visible(argument.value)} is several tokens ({cut}); the watch is about the first, {first}."
    return found[0], (warning,)


def _whole(argument: Text | TokenId, model: LoadedModel, text: str) -> int:
    """The token that is to be equal to another: one of several tokens never is."""
    if isinstance(argument, TokenId):
        return _known(argument, model, text)
    found, several = _token(argument, model, text)
    if several or model.vocabulary.text(found) != argument.value:
        own = model.vocabulary.text(found)
        raise WatchError(
            f"Character {argument.at + 1} of {text!r}: {argument} is no single token.",
            f"Write one such as {Text(own, 0)}, or look for the text: text() ~ /{re2.escape(argument.value.strip())}/.",
            argument.at,
        )
    return found


def _known(argument: TokenId, model: LoadedModel, text: str) -> int:
    size = model.readout.vocabulary
    if argument.value >= size:
        raise WatchError(
            f"Character {argument.at + 1} of {text!r}: token {argument} does not exist.",
            f"Choose one from #0 to #{size - 1}.",
            argument.at,
        )
    return argument.value


def _pattern(pattern: str, any_case: bool, text: str, at: int) -> Any:
    """A pattern of RE2: compiled within a fixed memory, matched in time linear in the text."""
    options = re2.Options()
    options.max_mem, options.log_errors, options.never_capture = limits.PATTERN_BYTES, False, True
    options.case_sensitive = not any_case
    try:
        return re2.compile(pattern.encode("utf-8", "replace"), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args else "it cannot be read"
        raise WatchError(
            f"Character {at + 1} of {text!r}: /{pattern}/ is no pattern: {reason}.",
            "Put a backslash before signs that mean themselves.",
            at,
        ) from None
