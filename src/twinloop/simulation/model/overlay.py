"""Changes to a nested configuration by dotted path: what scenarios and levers are made of.

A list's items are chosen by their name or by their number counted from 1, and `buffer_2` is short
for `buffers.2`: people count stations and buffers from one.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any

from twinloop.errors import InputError, unknown


def overlaid(plain: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `plain` with every path in `changes` set, scaled (`{"scale": 0.8}`) or raised (`{"add": 4}`).

    >>> overlaid({"buffers": [3, 5]}, {"buffer_2": {"add": 4}})
    {'buffers': [3, 9]}
    """
    result: dict[str, Any] = _lists(copy.deepcopy(dict(plain)))
    for path, change in changes.items():
        place, last = _place(result, path)
        place[last] = _changed(place[last], change, path)
    return result


def value_at(plain: Mapping[str, Any], path: str) -> Any:
    """The value that `path` leads to.

    >>> value_at({"buffers": [3, 5]}, "buffer_2")
    5
    """
    place, last = _place(_lists(dict(plain)), path)
    return place[last]


def _place(plain: Any, path: str) -> tuple[Any, Any]:
    """The innermost mapping or list of a path, and the key in it."""
    keys = re.sub(r"^buffer_(\d+)$", r"buffers.\1", path).split(".")
    for depth, key in enumerate(keys[:-1]):
        plain = plain[_position(plain, key, ".".join(keys[: depth + 1]))]
        if not isinstance(plain, dict | list):
            raise InputError(f"line: {path}: {'.'.join(keys[: depth + 1])} is {plain!r} and has no {keys[depth + 1]!r}")
    return plain, _position(plain, keys[-1], path)


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value


def _position(place: Any, key: str, path: str) -> Any:
    if isinstance(place, dict):
        if key in place:
            return key
        short = [f"buffer_{number + 1}" for number in range(len(place.get("buffers") or ()))]
        raise unknown(f"line: {path}", key, [*map(str, place), *short])
    names = [str(item["name"]) for item in place if isinstance(item, dict) and "name" in item]
    if key in names:
        return names.index(key)
    if key.isdigit() and 1 <= int(key) <= len(place):
        return int(key) - 1
    raise unknown(f"line: {path}", key, names or [str(number + 1) for number in range(len(place))])


def _changed(value: Any, change: Any, path: str) -> Any:
    if not (isinstance(change, Mapping) and set(change) in ({"scale"}, {"add"})):
        return change
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"line: {path} = {value!r}: expected a number to {next(iter(change))}; set a value instead")
    changed = value * change["scale"] if "scale" in change else value + change["add"]
    return round(changed) if isinstance(value, int) else changed
