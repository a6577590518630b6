"""Gives a stage the sections of params.yaml that dvc.yaml declares for it, and no other.

A stage that reads an undeclared section would not run again when that section changes, so reading
one is an error, not a convenience.
"""

import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from twinloop.config.compose import PARAMS, read_params
from twinloop.config.location import line_of
from twinloop.config.reading import read_yaml
from twinloop.config.schema import Fault, Invalid, parse
from twinloop.errors import InputError

T = TypeVar("T")


class Sections:
    """Attribute access to declared sections; `config.factory.train` is a validated settings object."""

    def __init__(self, stage: str, values: dict[str, Any]) -> None:
        self._stage = stage
        self._values = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._values:
            raise InputError(
                f"{self._stage}: reads the section {name!r}, which dvc.yaml does not declare: add it to its params"
            )
        value = self._values[name]
        return Sections(self._stage, value) if isinstance(value, dict) else value


def declared(root: Path, stage: str, kind: Literal["params", "deps"] = "params") -> list[str]:
    """What dvc.yaml declares for a stage: its params as dotted paths, or its dependencies as they are written."""
    pipeline = read_yaml(root / "dvc.yaml", "dvc.yaml")
    if stage not in pipeline["stages"]:
        raise InputError(f"dvc.yaml: has no stage {stage!r}; known: {', '.join(pipeline['stages'])}")
    return [str(entry) for entry in pipeline["stages"][stage].get(kind, [])]


def declared_values(root: Path, stage: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The values in `params` that dvc.yaml declares for a stage, by dotted path; None where there is none."""
    values: dict[str, Any] = {}
    for dotted in declared(root, stage):
        value: Any = params
        for key in dotted.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        values[dotted] = value
    return values


def load(root: Path, stage: str, schema: type[T]) -> T:
    """The declared sections of params.yaml for `stage`, each checked against its place in `schema`.

    Raises InputError with path, value, expectation and line for the first thing wrong.
    """
    params = read_params(root)
    values: dict[str, Any] = {}
    for dotted in declared(root, stage):
        keys = tuple(dotted.split("."))
        target = values
        for key in keys[:-1]:
            target = target.setdefault(key, {})
        target[keys[-1]] = _validated(root, params, keys, schema)
    return cast(T, Sections(stage, values))


def _validated(root: Path, params: dict[str, Any], keys: tuple[str, ...], schema: Any) -> Any:
    value: Any = params
    for depth, key in enumerate(keys):
        hints = typing.get_type_hints(schema, include_extras=True)
        if key not in hints:
            raise InputError(f"dvc.yaml: params name {'.'.join(keys)!r}, which the configuration does not have")
        if not isinstance(value, dict) or key not in value:
            fault = Fault(keys[: depth + 1], None, "missing; run `python -m twinloop conf`")
            raise InputError(describe([fault], _origin(root)))
        value, schema = value[key], hints[key]
    try:
        return parse(schema, value, path=keys)
    except Invalid as invalid:
        raise InputError(describe(invalid.faults, _origin(root))) from None


def _origin(root: Path) -> Callable[[Iterable[str | int]], str]:
    def origin(keys: Iterable[str | int]) -> str:
        line = line_of(root / PARAMS, list(keys))
        return f"{PARAMS}:{line}" if line else str(PARAMS)

    return origin


def describe(faults: list[Fault], origin: Callable[[Any], str]) -> str:
    """The first fault as one line: path, value, expectation, place; how many more there are."""
    first = faults[0]
    value = "" if first.value is None and first.expected.startswith("missing") else f" = {_short(first.value)}"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"conf: {first.dotted}{value}: {first.expected} ({origin(first.path)}){more}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"
