"""Which twins and stages there are. A twin that is not listed here does not exist yet."""

import dataclasses
import importlib
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from twinloop.config import Invalid, parse
from twinloop.errors import InputError

VERBS = ("prepare", "tune", "train", "export", "evaluate", "simulate", "schedule", "report", "record")
TWINS = {"factory": "FactoryConfig"}
SHARED = ("profile", "seed")


@dataclass(frozen=True)
class Twin:
    """A twin by name; its configuration schema and stage modules are imported when asked for."""

    name: str

    @property
    def schema(self) -> Any:
        """The settings class of this twin's part of params.yaml."""
        return getattr(importlib.import_module(f"twinloop.twins.{self.name}.config"), TWINS[self.name])

    @property
    def paths(self) -> Any:
        """The module that says where this twin's stages put their outputs."""
        return importlib.import_module(f"twinloop.twins.{self.name}.paths")

    def stage(self, verb: str) -> ModuleType:
        """The module of one stage. Raises InputError for an unknown verb."""
        if verb not in VERBS:
            raise InputError(f"{self.name}: has no stage {verb!r}; stages: {', '.join(VERBS)}")
        return importlib.import_module(f"twinloop.twins.{self.name}.{verb}")

    def check(self, params: dict[str, Any]) -> None:
        """Check this twin's part of the configuration. Raises config.Invalid with every fault."""
        parse(self.schema, {key: params[key] for key in (*SHARED, self.name) if key in params})

    def in_params(self, text: str) -> str:
        """A message of an engine with settings named as in params.yaml: ExportSettings.opset → factory.export.opset."""
        paths = dict(_paths(self.schema, ""))
        return re.sub(r"\b([A-Z]\w+)\.(?=[a-z])", lambda name: f"{paths.get(name[1], name[1])}.", text)


def _paths(schema: Any, path: str) -> Iterator[tuple[str, str]]:
    """Name of every settings class below `schema` and where in params.yaml it stands."""
    for name, kind in typing.get_type_hints(schema).items():
        inner = f"{path}.{name}" if path else name
        for member in (kind, *typing.get_args(kind)):
            if dataclasses.is_dataclass(member):
                yield member.__name__, inner  # type: ignore[union-attr]
                yield from _paths(member, inner)


def find(name: str) -> Twin:
    """The twin called `name`. Raises InputError where there is none."""
    if name not in TWINS:
        raise InputError(f"twinloop: there is no twin {name!r}; twins: {', '.join(TWINS)}")
    return Twin(name)


def check(params: dict[str, Any]) -> None:
    """Check a whole configuration: every twin's part, and that nothing else is in it. Raises config.Invalid."""
    from twinloop.config.schema import Fault

    for name in TWINS:
        find(name).check(params)
    unknown = [key for key in params if key not in (*SHARED, *TWINS, "inputs", "conf_digest", "values_digest")]
    if unknown:
        raise Invalid([Fault((unknown[0],), params[unknown[0]], f"unknown key; known: {', '.join((*SHARED, *TWINS))}")])
