"""Finds the line of a YAML file that gave a value, so that an error can point at it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml


def line_of(path: Path, keys: Sequence[str | int]) -> int | None:
    """Line (from 1) of the entry that `keys` lead to in a YAML file; None where it is not there."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError):
        return None
    line = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            entry = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if entry is None:
                return None
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            return None
    return line


def in_conf(conf: Path, choices: Mapping[str, str], keys: Sequence[str | int]) -> str | None:
    """`conf/<group>/<option>.yaml:<line>` of the value at `keys`, given the chosen option of every group.

    Choices are composed over the profile, and that over the groups, so they are asked first.
    """
    candidates: list[tuple[Path, Sequence[str | int]]] = [
        (conf / "choices.yaml", keys),
        (conf / "profile" / f"{choices.get('profile')}.yaml", keys),
    ]
    for group, option in choices.items():
        prefix = group.split("/")
        if [str(key) for key in keys[: len(prefix)]] == prefix:
            candidates.append((conf / group / f"{option}.yaml", keys[len(prefix) :]))
    candidates.append((conf / "config.yaml", keys))
    for path, rest in candidates:
        if path.is_file() and (line := line_of(path, rest)) is not None:
            return f"conf/{path.relative_to(conf).as_posix()}:{line}"
    return None
