"""Read the text of an edit: `VALUE OP [@SCOPE]`, as in `L12D345=on@generated`.

The text is an outside contract: an argument of the command line, a line of a recipe, the state of a URL. It is
read without a model; whether the model has such a vector is `interventions.validate`'s work.

    VALUE  L12D345, or L12E3D45 for an expert's vector; L12H3 for a head; L12R(…) for a direction of the residual
           stream (`records.direction`)
    OP     =off  =on  =on-  =layermax  =3.5  *=2  +=1  -=1 (the same as +=-1)
           =on*0.5  =on-*0.5 (half as strong: the factor is from 0, and `on` is `on*1`)
    SCOPE  all (default), prompt, generated, last, or positions such as 3,5-7 (ranges include both ends)

Case does not matter, spaces may stand around the parts, and a typographic minus or dash is read as `-`.
`str(edit)` is the canonical text; `parse(str(edit)) == edit` for every edit that `parse` returns.
"""

import difflib
import re
from collections.abc import Iterable

from lm_debugger.errors import EditError, ValueNameError
from lm_debugger.records import limits
from lm_debugger.records.direction import DirectionName, read_direction, split_direction
from lm_debugger.records.edit import WITH_STRENGTH, Edit, Operation, Scope, ScopeKind
from lm_debugger.records.names import UnitName, read_unit

# What word processors and web pages put where a minus or a range's hyphen was meant.
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"))

_OPERATOR = re.compile(r"[^\w\s=]")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?", re.ASCII)
_STRENGTH = re.compile(r"(?P<word>[a-z]+-?)\s*\*\s*(?P<factor>.*)", re.DOTALL)
_RANGE = re.compile(r"(\d{1,9})(?:\s*-\s*(\d{1,9}))?", re.ASCII)

_WORD = 20  # more characters than any word has: likeness is not linear in the length
_WORDS = {word.value: word for word in (Operation.OFF, Operation.ON, Operation.ON_NEGATIVE, Operation.LAYER_MAXIMUM)}
_STRONG = tuple(word.value for word in WITH_STRENGTH)
_SCOPES = {kind.value: kind for kind in ScopeKind if kind is not ScopeKind.POSITIONS}
_OPERATORS = {"=": Operation.SET, "*=": Operation.SCALE, "+=": Operation.ADD, "-=": Operation.ADD}

_OPERATIONS_HELP = "=off, =on, =on-, =on*0.5, =layermax, =3.5, *=2 or +=1"
_SCOPES_HELP = "@all, @prompt, @generated, @last or positions such as @3,5-7"


def parse(text: str) -> Edit:
    """Read one edit.

    Raises:
        EditError: if the text is not an edit; it names the part that is wrong and shows how to write it.
    """
    if len(text) > limits.EDIT:
        raise EditError(
            f"The edit that begins with {text[:40]!r} has {len(text):,} characters, more than {limits.EDIT:,}.",
            "Write several edits, or ranges of positions.",
        )
    if not text.strip():
        raise EditError("The edit is empty.", "Write one such as L12D345=off.")
    direction, rest = _direction(text)
    plain = rest.translate(_DASHES).strip()
    body, at, scope = plain.partition("@")
    name, equals, operand = body.strip().partition("=")
    if not equals:
        raise _no_operation(text, f"{direction or ''}{body.strip()}")
    sign = name[-1:] if _OPERATOR.fullmatch(name[-1:]) else ""
    own = name.removesuffix(sign).rstrip()
    if direction is not None and own:
        raise EditError(f"{own!r} in {text!r} is not an operation.", f"Write for instance {direction}+=1.")
    value = direction or _value(text, own)
    operation, amount = _operation(text, value, f"{sign}=", operand.strip().lower())
    return Edit(value=value, operation=operation, amount=amount, scope=_scope(text, scope) if at else Scope())


def parse_all(edits: Iterable[str | Edit]) -> tuple[Edit, ...]:
    """Read edits that are given as text or ready-made; a single text counts as one edit.

    Raises:
        EditError: if one of them is not an edit, or there are too many.
    """
    if isinstance(edits, str):
        return (parse(edits),)
    found: list[Edit] = []
    for edit in edits:
        if len(found) == limits.EDITS:
            raise EditError(f"There are more than {limits.EDITS:,} edits.", "Use fewer at once.")
        found.append(edit if isinstance(edit, Edit) else parse(edit))
    return tuple(found)


def split_edits(text: str) -> list[str]:
    """Several edits with spaces between, cut apart. A direction's own spaces do not cut.

    Raises:
        EditError: if a direction does not end.
    """
    found: list[str] = []
    rest = text.strip()
    while rest:
        direction, after = _direction(rest)
        end = re.match(r"\S*", after)
        assert end is not None
        found.append(f"{direction or ''}{end[0]}")
        rest = after[end.end() :].strip()
    return found


def _direction(text: str) -> tuple[DirectionName | None, str]:
    """The direction that the text begins with, if it does, and what stands after it."""
    try:
        cut = split_direction(text)
        return (None, text) if cut is None else (read_direction(cut[0]), cut[1])
    except ValueNameError as error:
        raise EditError(error.what, error.cure) from None


def _no_operation(text: str, body: str) -> EditError:
    """The error for an edit without `=`: a name alone, or a name followed by something else."""
    cut = split_direction(body)
    if cut is not None and not cut[1].strip():
        return EditError(f"{text!r} has no operation.", f"Add +=, =, *= and a number, or =off: {cut[0]}+=1.")
    name = re.match(r"L\d+(?:[A-Z]\d+)+", body, re.IGNORECASE | re.ASCII)
    if name is None:
        return EditError(f"{text!r} is not an edit.", "Write a value vector and an operation, such as L12D345=off.")
    rest = body[name.end() :].strip()
    if not rest:
        return EditError(f"{text!r} has no operation.", f"Add {_OPERATIONS_HELP}, such as {name[0]}=off.")
    example = f"{rest[0]}={rest[1:].strip() or 1}" if rest[0] in "*+-" else "=off"
    return EditError(
        f"{rest!r} in {text!r} is not an operation.", f"Use {_OPERATIONS_HELP}, such as {name[0]}{example}."
    )


def _value(text: str, name: str) -> UnitName:
    """Read the value vector's name."""
    if not name:
        raise EditError(f"{text!r} does not say which coefficient to edit.", f"Write its name first: L12D345{text}.")
    try:
        return read_unit(name)
    except ValueNameError as error:
        raise EditError(f"In {text!r}, {error.what}", error.cure) from None


def _operation(text: str, value: UnitName, operator: str, operand: str) -> tuple[Operation, float | None]:
    """Read the operation and its amount (None for `off`, `layermax`, and `on` and `on-` of strength 1)."""
    if operator not in _OPERATORS:
        raise EditError(
            f"{operator!r} in {text!r} is not an operation.", f"Use {_OPERATIONS_HELP}, such as {value}*=0.5."
        )
    if not operand:
        raise EditError(f"{text!r} has nothing after {operator!r}.", f"Write for instance {value}{operator}2.")
    if operator == "=" and operand in _WORDS:
        return _WORDS[operand], None
    if operator == "=" and (strong := _STRENGTH.fullmatch(operand)) and strong["word"] in _WORDS:
        return _WORDS[strong["word"]], _strength(text, value, strong["word"], strong["factor"])
    amount = _number(text, value, operator, operand)
    return _OPERATORS[operator], -amount if operator == "-=" else amount


def _strength(text: str, value: UnitName, word: str, factor: str) -> float | None:
    """Read what stands after `on*`; None for 1."""
    if word not in _STRONG:
        raise EditError(f"{word!r} in {text!r} takes no factor.", f"Write {value}={word}, or {value}*=0.5 to scale.")
    if not factor:
        raise EditError(f"{text!r} has nothing after '*'.", f"Write for instance {value}={word}*0.5.")
    number = _number(text, value, f"={word}*", factor)
    if number < 0:
        other = _STRONG[1 - _STRONG.index(word)]
        raise EditError(f"The factor {factor} in {text!r} is negative.", f"Write {value}={other} for the other side.")
    return None if number == 1 else abs(number)  # abs: there is no -0


def _number(text: str, value: UnitName, operator: str, operand: str) -> float:
    """Read a finite number."""
    if _NUMBER.fullmatch(operand):
        number = float(operand)
        if abs(number) <= limits.AMOUNT:
            return number
        raise EditError(
            f"{operand!r} in {text!r} is too large: numbers go up to {limits.AMOUNT:g}.",
            f"Write a smaller number, such as {value}{operator}2.",
        )
    if operand.lstrip("+-") in {"nan", "inf", "infinity"}:
        raise EditError(
            f"{operand!r} in {text!r} is not a finite number.", f"Write a finite number, such as {value}{operator}2."
        )
    if operand in _WORDS:
        raise EditError(f"{operand!r} goes with '=', not with {operator!r}, in {text!r}.", f"Write {value}={operand}.")
    if re.fullmatch(r"[+-]?\d+,\d+", operand, re.ASCII):
        raise EditError(
            f"{operand!r} in {text!r} is not a number.",
            f"Write a decimal point: {value}{operator}{operand.replace(',', '.')}.",
        )
    if operator != "=":
        raise EditError(
            f"{operand!r} in {text!r} is not a number.", f"Write a number after {operator!r}: {value}{operator}2."
        )
    close = difflib.get_close_matches(operand[:_WORD], _WORDS, n=1, cutoff=0.5)
    raise EditError(
        f"{operand!r} in {text!r} is not an operation.",
        f"Did you mean {value}={close[0]}?" if close else f"Use {_OPERATIONS_HELP}, such as {value}=off.",
    )


def _scope(text: str, scope: str) -> Scope:
    """Read what stands after `@`."""
    word = scope.strip().lower()
    if not word:
        raise EditError(
            f"{text!r} has nothing after '@'.", f"Write {_SCOPES_HELP}, or leave '@' out for all positions."
        )
    if word in _SCOPES:
        return Scope(kind=_SCOPES[word])
    if word[0] in "-0123456789":
        return Scope(kind=ScopeKind.POSITIONS, positions=_positions(text, word))
    close = difflib.get_close_matches(word[:_WORD], _SCOPES, n=1)
    raise EditError(
        f"{word!r} in {text!r} is not a scope.",
        f"Did you mean @{close[0]}?" if close else f"Use {_SCOPES_HELP}.",
    )


def _positions(text: str, scope: str) -> tuple[tuple[int, int], ...]:
    """Read `3,5-7` into inclusive ranges, as written."""
    ranges = []
    for part in (item.strip() for item in scope.split(",")):
        match = _RANGE.fullmatch(part)
        if match is None and part.startswith("-"):
            raise EditError(
                f"Position {part!r} in {text!r} is negative.",
                "Positions count from 0; write @last for the last position of the prompt.",
            )
        if match is None:
            raise EditError(
                f"{part!r} in {text!r} is not a position.", "Write positions and ranges with commas, such as @3,5-7."
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise EditError(f"The range {part!r} in {text!r} runs backwards.", f"Write {last}-{first}.")
        ranges.append((first, last))
    return tuple(ranges)
