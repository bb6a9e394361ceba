# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Frozen dataclasses as plain data (dictionaries, lists, texts, numbers) and back, strictly.

A decoder is compiled once for each class, so that a fleet of 10,000 instances is read in seconds.
"""

from __future__ import annotations

import collections.abc
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from sys import intern
from typing import Any, ClassVar, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

# More problems than this are one problem: something else was read.
MOST_PROBLEMS = 20

# Where a value stands: its parent's place and its own key; told only when there is something to tell.
Place = tuple[Any, Any]
Decoder = Callable[[Any, Place, "list[str]"], Any]


class PlainDataError(ValueError):
    """Data that is not what the class is made of; the message has every problem, each with its path."""


class Dataclass(Protocol):
    """Anything made by @dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Made = TypeVar("Made", bound=Dataclass)


def encode(value: Any) -> Any:
    """Return dataclasses, tuples and mappings as dictionaries and lists.

    A class with `OMITS_DEFAULTS` leaves out the fields that have their default: for what there is very much of.
    """
    if isinstance(value, (str, int, float, type(None))):
        return value
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, collections.abc.Mapping):
        return {key: encode(item) for key, item in value.items()}
    cls: Any = type(value)
    names, defaults = _fields(cls)
    found = {name: getattr(value, name) for name in names}
    if defaults is not None:
        found = {name: item for name, item in found.items() if name not in defaults or item != defaults[name]}
    return {name: encode(item) for name, item in found.items()}


@cache
def _fields(cls: Any) -> tuple[tuple[str, ...], Mapping[str, Any] | None]:
    fields = dataclasses.fields(cls)
    omits = getattr(cls, "OMITS_DEFAULTS", False)
    return tuple(field.name for field in fields), dict(_defaults(fields)) if omits else None


def _defaults(fields: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for field in fields:
        if field.default is not dataclasses.MISSING:
            yield field.name, field.default
        elif field.default_factory is not dataclasses.MISSING:
            yield field.name, field.default_factory()


def decode(cls: type[Made], data: Any, name: str) -> Made:
    """Return an instance of the class; raise PlainDataError with all that is wrong. `name` begins every path.

    Every key must be a field, and every field without a default must be there, of the very type.
    """
    problems: list[str] = []
    found = _of_class(cls)(data, (None, name), problems)
    if problems:
        more = f"; and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
        raise PlainDataError("; ".join(problems[:MOST_PROBLEMS]) + more)
    made: Made = found
    return made


def _told(place: Place) -> str:
    parent, key = place
    if parent is None:
        return str(key)
    return f"{_told(parent)}[{key}]" if isinstance(key, int) else f"{_told(parent)}.{str(key)[:80]}"


def _wrong(value: Any, place: Place, problems: list[str], wanted: str) -> None:
    shown = "null" if value is None else f"a {type(value).__name__}"
    problems.append(f"{_told(place)} is {shown}, not {wanted}")


@cache
def _of_class(cls: type) -> Decoder:
    hints = get_type_hints(cls)
    fields = dataclasses.fields(cls)
    # Of a plain type a look at the value's own type is enough, and the decoder is for what that is not.
    rows = {field.name: (_kind(hints[field.name]), _decoder(hints[field.name])) for field in fields}
    defaults = {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}
    factories = {
        field.name: field.default_factory for field in fields if field.default_factory is not dataclasses.MISSING
    }
    required = [name for name in rows if name not in defaults and name not in factories]

    def decode_class(value: Any, place: Place, problems: list[str]) -> Any:
        if not isinstance(value, dict):
            _wrong(value, place, problems, f"a dictionary ({cls.__name__})")
            return None
        found = defaults.copy()
        for key, item in value.items():
            row = rows.get(key)
            if row is None:
                problems.append(f"{_told((place, key))} is no field of {cls.__name__}")
            else:
                # The same few texts come from every host: kept once, they take less and are found sooner.
                known = intern(item) if item.__class__ is str else item
                found[key] = known if item.__class__ is row[0] else row[1](known, (place, key), problems)
        if len(found) < len(rows):
            found.update({name: factory() for name, factory in factories.items() if name not in found})
            problems += [f"{_told((place, key))} is missing" for key in required if key not in found]
        # What __init__ of a frozen class does takes three times as long; none of them does more.
        made: Any = object.__new__(cls)
        made.__dict__.update(found)
        return made

    return decode_class


def _kind(annotation: Any) -> type | None:
    kinds: tuple[type, ...] = (str, int, float, bool)
    return next((kind for kind in kinds if annotation in (kind, Union[kind, None])), None)


def _decoder(annotation: Any) -> Decoder:
    """Return the decoder of a field's type: a plain type, Optional, tuple[X, ...], Mapping[str, X] or a dataclass."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Union:
        return _optional(_decoder(next(each for each in arguments if each is not type(None))))
    if origin is tuple:
        return _list(_decoder(arguments[0]))
    if origin is not None and issubclass(origin, collections.abc.Mapping):
        return _mapping(_decoder(arguments[1]))
    if dataclasses.is_dataclass(annotation):
        return _of_class(annotation)  # type: ignore[arg-type]  # is_dataclass is true of instances too
    return _plain(annotation)


def _plain(kind: type) -> Decoder:
    wanted = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[kind]

    def decode_plain(value: Any, place: Place, problems: list[str]) -> Any:
        if value.__class__ is kind:
            return value
        if kind is float and value.__class__ is int:
            return float(value)
        # Ansible's own kinds of text are texts.
        if kind is str and isinstance(value, str):
            return str(value)
        _wrong(value, place, problems, wanted)
        return None

    return decode_plain


def _optional(inner: Decoder) -> Decoder:
    return lambda value, place, problems: None if value is None else inner(value, place, problems)


def _list(inner: Decoder) -> Decoder:
    def decode_list(value: Any, place: Place, problems: list[str]) -> Any:
        if not isinstance(value, (list, tuple)):
            _wrong(value, place, problems, "a list")
            return ()
        return tuple(inner(item, (place, number), problems) for number, item in enumerate(value))

    return decode_list


def _mapping(inner: Decoder) -> Decoder:
    def decode_mapping(value: Any, place: Place, problems: list[str]) -> Any:
        if not isinstance(value, dict):
            _wrong(value, place, problems, "a dictionary")
            return {}
        return {intern(str(key)): inner(item, (place, key), problems) for key, item in value.items()}

    return decode_mapping
