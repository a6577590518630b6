"""Settings as frozen dataclasses that validate themselves, on pydantic.

`settings` is the one decorator every engine uses for its configuration. `parse` turns a plain
mapping (from YAML) into such a dataclass, strictly: nothing is coerced, nothing unknown passes,
NaN and infinity are refused.
"""

import dataclasses
import functools
import json
import typing
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar, cast, dataclass_transform

import pydantic
import pydantic.dataclasses

from twinloop.config.reading import read_yaml, unplain
from twinloop.errors import InputError, near

T = TypeVar("T")

BRIEF = 40
LONGEST_LIST = 160
SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
WORDING = {
    "int_type": "expected an integer",
    "int_from_float": "expected an integer",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "string_type": "expected a text",
    "bool_type": "expected true or false",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
    "dict_type": "expected a mapping",
    "string_too_short": "expected a text that is not empty",
}
CONFIG = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
def settings(cls: type[T]) -> type[T]:
    """Make `cls` a frozen, keyword-only dataclass whose fields are checked on construction.

    Bounds are written in the annotation: `epochs: Annotated[int, Field(ge=1)]`. Constructing it with values that do not
    fit raises Unfit, an InputError that names the field as `Class.field`.
    """
    made = pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=CONFIG)(cls)
    checked = made.__init__

    @functools.wraps(checked)
    def construct(self: Any, *positional: Any, **values: Any) -> None:
        if positional:
            raise Unfit(f"{cls.__name__}: expected named values only, like {_first_field(made)}=…, got positional ones")
        try:
            checked(self, **values)
        except pydantic.ValidationError as error:
            faults = [f for item in error.errors(include_url=False) for f in _faults(item, (), made, values)]
            invalid = Invalid(faults)
            raise Unfit(
                f"{cls.__name__}{'.' if invalid.faults[0].path else ': '}{invalid}", tuple(invalid.faults)
            ) from None

    made.__init__ = construct  # type: ignore[method-assign]
    return cast(type[T], made)


class Unfit(InputError, ValueError):
    """A value that does not fit a settings class; a ValueError too, as a check of several values may meet it."""

    def __init__(self, message: str, faults: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


def _first_field(schema: Any) -> str:
    return next((field.name for field in dataclasses.fields(schema)), "name")


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing wrong with a configuration: where (keys from the root), what came, what was expected."""

    path: tuple[str | int, ...]
    value: Any
    expected: str

    @property
    def dotted(self) -> str:
        return ".".join(str(key) for key in self.path)


class Invalid(ValueError):
    """A mapping does not fit its schema; `faults` lists every reason, the cause before what follows from it."""

    def __init__(self, faults: list[Fault]) -> None:
        # A misspelt key also leaves the right one missing.
        self.faults = sorted(faults, key=lambda fault: fault.expected.startswith("missing"))
        lines = [_line(fault) for fault in self.faults]
        shown = [line for k, line in enumerate(lines) if k == 0 or sum(map(len, lines[: k + 1])) <= LONGEST_LIST]
        more = f" (and {len(lines) - len(shown)} more)" if len(lines) > len(shown) else ""
        super().__init__("; ".join(shown) + more)


def _line(fault: Fault) -> str:
    """Place, value and expectation; a value of many lines says nothing, and of several values none is wrong alone."""
    if not fault.path:
        return fault.expected
    large = isinstance(fault.value, dict) or (isinstance(fault.value, list | tuple) and bool(fault.value))
    shown = "" if large else f" = {brief(fault.value)}"
    return f"{fault.dotted}{shown}: {fault.expected}"


def brief(value: Any) -> str:
    """A value as a message shows it, so short that the reason behind it stays on the line.

    >>> brief({"stations": ["press", "weld", "pack"], "name": "line"}), brief(list(range(9))), brief(0.5)
    ('a mapping with stations, name', 'a list of 9', '0.5')
    """
    if isinstance(value, dict) and len(value) > 0 and len(repr(value)) > BRIEF:
        names = ", ".join(str(key) for key in list(value)[:3])
        return f"a mapping with {names[:BRIEF]}{', …' if len(value) > 3 else ''}"
    if isinstance(value, list | tuple) and len(value) > 3:
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return repr(value if len(value) <= BRIEF else f"{value[: BRIEF - 5]}…")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**40:
        return "a very large number"
    text = repr(value)
    return text if len(text) <= BRIEF else f"{text[: BRIEF - 1]}…"


def parse(schema: type[T], value: Any, *, path: tuple[str | int, ...] = ()) -> T:
    """Check `value` (plain JSON-like data) against `schema` and build it.

    `path` is prefixed to the location of every fault. Raises `Invalid`.
    """
    for keys, expected in unplain(value):
        raise Invalid([Fault(path + keys, _shown(_at(value, keys)), expected)])
    try:
        text = json.dumps(value)
        return cast(T, _adapter(cast(Hashable, schema)).validate_json(text, strict=True))
    except pydantic.ValidationError as error:
        faults = [fault for item in error.errors(include_url=False) for fault in _faults(item, path, schema, value)]
        raise Invalid(faults) from None


def parse_file(schema: type[T], path: str | Path, *, name: str, remedy: str) -> T:
    """A YAML file as `schema`; `name` says what it holds, `remedy` what to do where it is not there.

    Raises InputError for a file that is missing or holds something else.
    """
    try:
        return parse(schema, read_yaml(Path(path), f"{name}: {path}"))
    except OSError as error:
        raise InputError(f"{name}: {path}: cannot be read ({error.strerror}): {remedy}") from None
    except Invalid as error:
        raise InputError(f"{name}: {path}: {error}") from None


@functools.cache
def _adapter(schema: Hashable) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(cast(Any, schema))


def _faults(item: Any, prefix: tuple[str | int, ...], schema: Any, given: Any) -> list[Fault]:
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, Invalid):  # a check of several values together, which names their places itself
        location = prefix + _without_union_labels(item["loc"], given, missing=False)
        return [dataclasses.replace(fault, path=location + fault.path) for fault in cause.faults]
    return [_fault(item, prefix, schema, given)]


def _fault(item: Any, prefix: tuple[str | int, ...], schema: Any, given: Any) -> Fault:
    kind, context = item["type"], item.get("ctx", {})
    location = _without_union_labels(item["loc"], given, missing=kind.startswith("missing"))
    path = prefix + location
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return Fault(path, item["input"], "unknown key" + nearest(str(path[-1]), _siblings(schema, location)))
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return Fault(path, None, "missing; give it a value")
    bounds = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
    if kind in bounds:
        limit = context[bounds[kind]]
        # pydantic gives the bound in the field's own type, so an integer bound means an integer field.
        number = "an integer" if isinstance(limit, int) else "a number"
        return Fault(path, item["input"], f"expected {number} {SIGNS[bounds[kind]]} {_bound(limit)}")
    if kind == "literal_error":
        choices = [choice.strip(" '") for choice in context["expected"].replace(" or ", ",").split(",")]
        return Fault(
            path, item["input"], f"expected one of {context['expected']}" + _close(str(item["input"]), choices)
        )
    if kind == "value_error":
        return Fault(path, item["input"], str(context["error"]))
    if kind == "json_invalid":
        return Fault(path, None, "expected plain data")
    if kind in ("too_short", "too_long"):
        words = "at least" if kind == "too_short" else "at most"
        length = context["min_length" if kind == "too_short" else "max_length"]
        items = "item" if length == 1 else "items"
        return Fault(path, item["input"], f"expected {words} {length} {items}, got {context['actual_length']}")
    if kind in ("dataclass_type", "dataclass_exact_type"):
        return Fault(path, item["input"], f"expected a mapping, or a {context['class_name']}")
    return Fault(path, item["input"], WORDING.get(kind) or item["msg"][:1].lower() + item["msg"][1:])


def _bound(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


def _without_union_labels(location: tuple[str | int, ...], given: Any, *, missing: bool) -> tuple[str | int, ...]:
    """Only the keys that lead into what was given; between them pydantic puts the names of union members.

    missing: the last one is a key that is not there.
    """
    keys: list[str | int] = []
    for place, key in enumerate(location):
        in_list = isinstance(given, list | tuple) and isinstance(key, int) and key < len(given)
        if in_list or (isinstance(given, dict) and key in given):
            keys.append(key)
            given = given[key]
        elif missing and place == len(location) - 1:
            keys.append(key)
    return tuple(keys)


def _shown(value: Any) -> Any:
    # Some of what is not plain cannot be printed: it is endless, or has thousands of digits.
    return value if isinstance(value, str | bytes) else type(value).__name__


def _at(value: Any, keys: tuple[str | int, ...]) -> Any:
    for key in keys:
        value = value[key]
    return value


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean …?` for the nearest known name, else all of them."""
    return _close(name, known) or (f"; known: {', '.join(known)}" if known else "")


def _close(name: str, known: list[str]) -> str:
    guess = near(name, known)
    return f"; did you mean {guess!r}?" if guess is not None else ""


def _siblings(schema: Any, location: tuple[str | int, ...]) -> list[str]:
    for key in location[:-1]:
        schema = _child(schema, key)
    return [field.name for field in dataclasses.fields(schema)] if dataclasses.is_dataclass(schema) else []


def _child(schema: Any, key: str | int) -> Any:
    if dataclasses.is_dataclass(schema):
        hints = typing.get_type_hints(schema, include_extras=False)
        return hints.get(str(key))
    arguments = [a for a in typing.get_args(schema) if a is not type(None) and a is not Ellipsis]
    if isinstance(key, int):
        return arguments[0] if arguments else None
    members = [a for a in arguments if dataclasses.is_dataclass(a)]
    return members[0] if members else (arguments[-1] if arguments else None)
