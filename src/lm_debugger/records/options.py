"""The base of records that users fill in: whatever door they come through, one place says what is out of bounds."""

from collections.abc import Iterable
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic.fields import FieldInfo

from lm_debugger.errors import OptionError
from lm_debugger.records.base import Record


class Options(Record):
    """Options that belong together. One that is out of its bounds raises OptionError, which names value and bounds."""

    @model_validator(mode="wrap")
    @classmethod
    def _within_bounds(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(given)
        except ValidationError as failure:
            first = failure.errors()[0]
            name = str(next(iter(first["loc"]), ""))
            field = cls.model_fields.get(name)
            if field is None:
                raise OptionError(f"There is no option {name!r}.", f"Use {_listed(cls.model_fields)}.") from None
            raise OptionError(f"{name} is {first['input']!r}.", _bounds(field) or f"{first['msg']}.") from None


def _bounds(field: FieldInfo) -> str:
    """What a field takes, in words: its choices or its bounds."""
    if get_origin(field.annotation) is Literal:
        return f"Use {_listed(map(str, get_args(field.annotation)))}."
    # The bounds of `Annotated[int, …] | None` are those of its first part.
    inside = (info for part in get_args(field.annotation) for info in getattr(part, "__metadata__", ()))
    rules = [*field.metadata, *(rule for info in inside for rule in getattr(info, "metadata", ()))]
    found = {
        name: bound
        for name in ("ge", "gt", "le", "lt")
        for rule in rules
        if (bound := getattr(rule, name, None)) is not None
    }
    if {"ge", "le"} <= found.keys():
        return f"It must be from {found['ge']} to {found['le']}."
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return f"It must be {' and '.join(f'{words[name]} {bound}' for name, bound in found.items())}." if found else ""


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
