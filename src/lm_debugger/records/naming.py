"""The one place where users' names of units are joined to answers: any record, at any depth, of any kind of unit."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeVar, get_args

from lm_debugger.records.base import Record

R = TypeVar("R", bound=Record)

_UNITS = ("value", "head")  # the fields that hold a unit's own name, beside `name` for the user's


def with_names(record: R, names: Mapping[str, str]) -> R:
    """A record with the users' names of all units in it.

    Args:
        record: an answer; it is left as it is.
        names: what users call units, by the unit's own name, such as `L12D345`.
    """
    return _named(record, names) if names else record


def _named(record: R, names: Mapping[str, str]) -> R:
    kind = type(record)
    changed: dict[str, object] = {}
    for field in _inside(kind):
        found = getattr(record, field)
        if isinstance(found, tuple):
            changed[field] = tuple(_named(part, names) if isinstance(part, Record) else part for part in found)
        elif isinstance(found, Record):
            changed[field] = _named(found, names)
    unit = _unit(kind)
    if unit is not None and (name := names.get(getattr(record, unit))) is not None:
        changed["name"] = name
    return record.model_copy(update=changed) if changed else record


@cache
def _unit(kind: type[Record]) -> str | None:
    """The field that says which unit a record is about, if it has room for a user's name of it."""
    return next((field for field in _UNITS if field in kind.model_fields and "name" in kind.model_fields), None)


@cache
def _inside(kind: type[Record]) -> tuple[str, ...]:
    """The fields in which records about units lie, somewhere."""
    return tuple(
        name
        for name, field in kind.model_fields.items()
        if any(_unit(part) or _inside(part) for part in _records(field.annotation))
    )


def _records(annotation: object) -> Iterator[type[Record]]:
    """The records that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        yield annotation
    for part in get_args(annotation):
        yield from _records(part)
