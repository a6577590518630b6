"""Which twins there are, and what the house must know of each.

A twin is a package below twinloop/twins with a module `twin` that declares it as TWIN; nothing is listed elsewhere. The
rest follows from the package: config.py, a module per verb that the twin has, tools/ with a module per tool of its own.
"""

import contextlib
import dataclasses
import importlib
import pkgutil
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from twinloop.config import Invalid, parse
from twinloop.errors import InputError, TwinloopError
from twinloop.tracking.view import Columns

VERBS = ("prepare", "tune", "train", "export", "evaluate", "simulate", "schedule", "report", "record")
SHARED = ("profile", "seed")
FOLDER = Path(__file__).parent
TWINS = tuple(sorted(declared.parent.name for declared in FOLDER.glob("*/twin.py")))
ANSWERS = Path("reports/answers")


def modules(folder: Path) -> tuple[str, ...]:
    """Names of the modules in a package's folder; none where there is no such folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules([str(folder)])))


@dataclass(frozen=True)
class Twin:
    """A twin's declaration; its configuration, stages and tools are imported when asked for.

    name: of its package and of its section in params.yaml. config: the settings class in its config.py. title: on its
    pages. columns: of its MLflow table. models: what it can serve, registered as NAME-MODEL.
    """

    name: str
    config: str
    title: str
    columns: Columns
    models: tuple[str, ...] = ()

    @property
    def schema(self) -> Any:
        """The settings class of this twin's part of params.yaml."""
        return getattr(self._module("config"), self.config)

    @property
    def verbs(self) -> tuple[str, ...]:
        """Its stages, in the order of the loop."""
        present = modules(FOLDER / self.name)
        return tuple(verb for verb in VERBS if verb in present)

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of its own tools."""
        return modules(FOLDER / self.name / "tools")

    def stage(self, verb: str) -> ModuleType:
        """The module of one stage. Raises InputError for a stage that this twin does not have."""
        if verb not in self.verbs:
            tools = f"; tools: {', '.join(self.tools)}" if self.tools else ""
            raise InputError(f"{self.name}: has no stage {verb!r}; stages: {', '.join(self.verbs)}{tools}")
        return self._module(verb)

    def tool(self, name: str) -> ModuleType:
        """The module of one of its own tools."""
        return self._module(f"tools.{name}")

    def _module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{__package__}.{self.name}.{name}")

    def metrics(self, verb: str) -> Path:
        """The one metrics JSON of a stage; MLflow, DVC and the report read it."""
        return Path("data") / self.name / "metrics" / f"{verb}.json"

    @property
    def reports(self) -> Path:
        """The folder of its report."""
        return Path("reports") / self.name

    @property
    def index_page(self) -> Path:
        """The first page of its report."""
        return self.reports / "index.html"

    @property
    def answer(self) -> Path:
        """What its report leaves for the front page over all twins (reporting.front)."""
        return ANSWERS / f"{self.name}.json"

    def registered(self, model: str) -> str:
        """The name under which MLflow knows one of its models."""
        return f"{self.name}-{model}"

    def params(self, config: Any) -> dict[str, Any]:
        """What params.yaml holds for this twin, from its checked configuration."""
        return {
            **{key: getattr(config, key) for key in SHARED},
            self.name: dataclasses.asdict(getattr(config, self.name)),
        }

    def check(self, params: dict[str, Any]) -> None:
        """Check this twin's part of the configuration. Raises config.Invalid with every fault."""
        parse(self.schema, {key: params[key] for key in (*SHARED, self.name) if key in params})

    def in_params(self, text: str) -> str:
        """A message of an engine with settings named as in params.yaml: ExportSettings.opset → factory.export.opset."""
        paths = dict(_paths(self.schema, ""))
        return re.sub(r"\b([A-Z]\w+)\.(?=[a-z])", lambda name: f"{paths.get(name[1], name[1])}.", text)

    @contextlib.contextmanager
    def errors_in_params(self) -> Iterator[None]:
        """Errors leave with settings named as in params.yaml; engines know no twin and name a setting by its class."""
        try:
            yield
        except TwinloopError as error:
            raise type(error)(self.in_params(str(error))) from error


def _paths(schema: Any, path: str) -> Iterator[tuple[str, str]]:
    """Name of every settings class below `schema` and where in params.yaml it stands."""
    for name, kind in typing.get_type_hints(schema).items():
        inner = f"{path}.{name}" if path else name
        for member in (kind, *typing.get_args(kind)):
            if dataclasses.is_dataclass(member):
                # An engine names the class that it knows, of which the twin's may be a special one.
                for known in reversed(member.__mro__[:-1]):  # type: ignore[union-attr]
                    yield known.__name__, inner
                yield from _paths(member, inner)


def find(name: str) -> Twin:
    """The twin called `name`. Raises InputError where there is none."""
    if name not in TWINS:
        raise InputError(f"twinloop: there is no twin {name!r}; twins: {', '.join(TWINS)}")
    twin: Twin = importlib.import_module(f"{__package__}.{name}.twin").TWIN
    return twin


def chosen(name: str | None = None) -> tuple[Twin, ...]:
    """The twin called `name`, or all of them. Raises InputError where there is none of that name."""
    return tuple(map(find, TWINS if name is None else (name,)))


def check(params: dict[str, Any]) -> None:
    """Check a whole configuration: every twin's part, and that nothing else is in it. Raises config.Invalid."""
    from twinloop.config.schema import Fault

    for twin in chosen():
        twin.check(params)
    unknown = [key for key in params if key not in (*SHARED, *TWINS, "inputs", "conf_digest", "values_digest")]
    if unknown:
        raise Invalid([Fault((unknown[0],), params[unknown[0]], f"unknown key; known: {', '.join((*SHARED, *TWINS))}")])
