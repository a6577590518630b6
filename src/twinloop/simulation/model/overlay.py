"""Changes to a nested configuration by dotted path: what scenarios and levers are made of.

A list's items are chosen by their name or by their number counted from 1, and `buffer_2` is short
for `buffers.2`: people count stations and buffers from one.
"""

import copy
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from twinloop.errors import InputError


def overlaid(plain: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `plain` with every path in `changes` set, scaled (`{"scale": 0.8}`) or raised (`{"add": 4}`).

    >>> overlaid({"buffers": [3, 5]}, {"buffer_2": {"add": 4}})
    {'buffers': [3, 9]}
    """
    result: dict[str, Any] = _lists(copy.deepcopy(dict(plain)))
    for path, change in changes.items():
        keys = re.sub(r"^buffer_(\d+)$", r"buffers.\1", path).split(".")
        place: Any = result
        for depth, key in enumerate(keys[:-1]):
            place = place[_position(place, key, ".".join(keys[: depth + 1]))]
            if not isinstance(place, dict | list):
                raise InputError(
                    f"line: {path}: {'.'.join(keys[: depth + 1])} is {place!r} and has no {keys[depth + 1]!r}"
                )
        last = _position(place, keys[-1], path)
        place[last] = _changed(place[last], change, path)
    return result


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value


def _position(place: Any, key: str, path: str) -> Any:
    if isinstance(place, dict):
        if key in place:
            return key
        raise unknown(f"line: {path}", key, [str(known) for known in place])
    names = [str(item["name"]) for item in place if isinstance(item, dict) and "name" in item]
    if key in names:
        return names.index(key)
    if key.isdigit() and 1 <= int(key) <= len(place):
        return int(key) - 1
    raise unknown(f"line: {path}", key, names or [str(number + 1) for number in range(len(place))])


def unknown(where: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that does not exist, with the nearest that does."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
    return InputError(f"{where}: unknown name {name!r}; {hint}")


def _changed(value: Any, change: Any, path: str) -> Any:
    if not (isinstance(change, Mapping) and set(change) in ({"scale"}, {"add"})):
        return change
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"line: {path} = {value!r}: expected a number to {next(iter(change))}; set a value instead")
    changed = value * change["scale"] if "scale" in change else value + change["add"]
    return round(changed) if isinstance(value, int) else changed
