"""Reads YAML as plain data: texts, numbers, true/false, nothing, lists and mappings, or one line that says what is not.

YAML allows more than a configuration can hold (dates, sets, bytes, cycles, integers of thousands of digits), and its
parser answers some of it with Python's own errors. Here is the one place that knows.
"""

import copy
import functools
import re
from pathlib import Path
from typing import Any

import yaml

from twinloop.content import kind_of
from twinloop.errors import InputError

DEEPEST = 60
MOST_VALUES = 200_000
LARGEST_INTEGER = 2**63 - 1


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """PyYAML's safe one takes the last of two equal keys and drops the other in silence; this one refuses."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        # Before anything is merged (<<), which may well be given anew.
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            line = key.start_mark.line + 1
            if key.value in lines:
                raise ValueError(
                    f"line {line}: {key.value[:40]!r} comes twice, first in line {lines[key.value]}: keep one"
                )
            lines[key.value] = line
        return node


def read_yaml(path: Path, name: str) -> Any:
    """The plain data of a YAML file, called `name` in messages. Raises InputError with its place in one line."""
    content = path.read_bytes()
    if (kind := kind_of(content, path.name)) is not None:
        raise InputError(f"{name}: expected UTF-8 text, found {kind}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: expected UTF-8 text, found byte 0x{error.object[error.start]:02x}") from None
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str) -> Any:
    """The plain data of a YAML text. Raises InputError."""
    if _brackets(text) > 4 * DEEPEST:
        # PyYAML's time grows with the square of the brackets that are open.
        raise InputError(f"{name}: expected YAML nested at most {DEEPEST} deep")
    try:
        value = copy.deepcopy(_parsed(text))
    except RecursionError:
        raise InputError(f"{name}: expected YAML nested at most {DEEPEST} deep") from None
    except (yaml.YAMLError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        # PyYAML lets a date of month 13 or a number of 5 000 digits out as Python's own error.
        raise InputError(f"{name}: expected YAML: {error}") from None
    if faults := unplain(value):
        keys, expected = faults[0]
        place = ".".join(map(str, keys)) or "all of it"
        raise InputError(f"{name}: {place}: {expected}")
    return value


@functools.lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    """One process asks for its params.yaml several times, and each time takes a tenth of a second."""
    # In Python: the parser in C ends the process where brackets are nested too deep.
    return yaml.load(text, Loader=_Loader)


def unplain(value: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Where `value` holds what JSON has no word for: keys that lead there and what was expected; the first only."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    count = 0
    while pending:
        keys, item = pending.pop()
        count += 1
        if count > MOST_VALUES:
            return [((), f"expected at most {MOST_VALUES} values; aliases that repeat each other make more")]
        if len(keys) > DEEPEST:
            return [(keys[:3], f"expected at most {DEEPEST} levels, or no alias that contains itself")]
        if isinstance(item, dict):
            for key in item:
                if not isinstance(key, str):
                    return [(keys, f"expected a text as key, found {_kind(key)} ({str(key)[:40]}): put it in quotes")]
                if _unwritable(key):
                    return [(keys, "expected keys of valid Unicode")]
            pending += [((*keys, key), child) for key, child in reversed(item.items())]
        elif isinstance(item, list | tuple):
            pending += [((*keys, index), child) for index, child in reversed(list(enumerate(item)))]
        elif isinstance(item, str):
            if _unwritable(item):
                return [(keys, "expected a text of valid Unicode")]
        elif isinstance(item, int) and not isinstance(item, bool):
            if abs(item) > LARGEST_INTEGER:
                return [(keys, "expected an integer of at most 18 digits")]
        elif not (item is None or isinstance(item, bool | float)):
            quoted = ": put it in quotes for a text" if hasattr(item, "isoformat") else ""
            return [(keys, f"expected a text, number, true/false, list or mapping, found {_kind(item)}{quoted}")]
    return []


def _brackets(text: str) -> int:
    """How many brackets are open at once, those in quotes and comments included."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unwritable(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _kind(value: Any) -> str:
    names = {"datetime": "a date and time", "date": "a date", "bytes": "binary data", "set": "a set"}
    return names.get(type(value).__name__, type(value).__name__)
