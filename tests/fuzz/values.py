"""What people and programs put where a value belongs, and how a tree of values is spoilt by it."""

import copy
import datetime
import math
from typing import Any

import numpy as np

Draw = np.random.Generator


def cyclic() -> dict[str, Any]:
    """A mapping that contains itself, as a YAML alias makes one."""
    tree: dict[str, Any] = {}
    tree["again"] = tree
    return tree


def deep(levels: int) -> list[Any]:
    """Lists in lists."""
    tree: list[Any] = []
    for _ in range(levels):
        tree = [tree]
    return tree


def _odd_values() -> tuple[Any, ...]:
    """All of them made anew: a list that was spoilt within one tree must not be found spoilt in the next."""
    return (
        *(None, True, False, 0, -1, 1, 3, 10**11, 10**19, 10**5000, -(10**400)),
        *(0.0, -0.0, 0.5, 1e-320, 1e308, math.nan, math.inf, -math.inf),
        *("", " ", "0", "1e3", "nan", "null", "é", "日本", "\x00", "a\nb", "\x1b[31m", "\u202e", "\ud800", "x" * 5000),
        *("${seed}", "${oc.env:HOME}", "${conf_digest:}", "???", "../..", "/", "env:NAME", "ss://a:b@c"),
        *([], [[]], [None], [1, "a"], {}, {"": 1}, {"a": {"b": 1}}, {"Key-x": 1}, {1: 2}, {None: 1}, {(1, 2): 3}),
        *(datetime.date(2026, 1, 1), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), b"\xff\x00", {1, 2}, (1, 2)),
        *(cyclic(), deep(70), deep(3000)),
    )


def odd(draw: Draw) -> Any:
    """One odd value."""
    values = _odd_values()
    return values[int(draw.integers(len(values)))]


def written(value: Any) -> str:
    """A value as a person would type it; one that Python itself cannot write is an open bracket too many."""
    try:
        return repr(value)[:200]
    except (RecursionError, ValueError):
        return "[" * 200


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container and key in a tree; one that contains itself is entered once."""
    pending, entered, found = [tree], set(), []
    while pending:
        node = pending.pop()
        if id(node) in entered:
            continue
        entered.add(id(node))
        for key, child in list(node.items() if isinstance(node, dict) else enumerate(node)):
            found.append((node, key))
            if isinstance(child, dict | list):
                pending.append(child)
    return found


def spoilt(tree: Any, draw: Draw) -> Any:
    """A copy of a tree with one to three places changed: another value, gone, renamed, doubled, moved."""
    tree = copy.deepcopy(tree)
    for _ in range(int(draw.integers(1, 4))):
        known = places(tree)
        if not known:
            break
        node, key = known[int(draw.integers(len(known)))]
        match int(draw.integers(6)):
            case 0:
                del node[key]
            case 1 if isinstance(node, dict):
                node[str(draw.choice(["Name", "a-b", "", "x" * 400, "_target_", "é\n"]))] = node.pop(key)
            case 2:
                other, name = known[int(draw.integers(len(known)))]
                node[key] = copy.deepcopy(other[name])
            case 3 if isinstance(node, list):
                node.append(copy.deepcopy(node[key]))
            case 4 if isinstance(node[key], int | float):
                node[key] = node[key] * float(draw.choice([-1, 0, 0.5, 1e3, 1e12]))
            case _:
                node[key] = odd(draw)
    return tree


def spoilt_bytes(content: bytes, draw: Draw) -> bytes:
    """Bytes with some changed, cut off, doubled, or another encoding of them."""
    match int(draw.integers(6)):
        case 0:
            return content[: int(draw.integers(len(content) + 1))]
        case 1:
            start = int(draw.integers(len(content) + 1))
            return content[:start] + content[start : start + 200] * int(draw.integers(2, 50)) + content[start:]
        case 2:
            return content.decode("utf-8", "replace").encode(
                str(draw.choice(["latin-1", "utf-16", "utf-8-sig"])), "replace"
            )
        case 3:
            return bytes(draw.integers(0, 256, int(draw.integers(200)), dtype=np.uint8))
        case _:
            changed = bytearray(content)
            for place in draw.integers(0, max(len(changed), 1), int(draw.integers(1, 20))):
                if changed:
                    changed[int(place)] = int(draw.integers(256))
            return bytes(changed)
