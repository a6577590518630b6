"""Levers: from "repair 20 % faster" to the scenario in which that is so, one at a time or all together."""

import dataclasses
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError, unknown
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.settings import Add, Lever, Scale
from twinloop.simulation.model.line import Line

CHOSEN = "chosen"
PLACEHOLDERS = {"station", "buffer"}


@dataclass(frozen=True, eq=False)
class Model:
    """A detector as the line meets it: its errors and the time of one look."""

    curve: OperatingCurve
    latency_ms: float = 0.0


@dataclass(frozen=True)
class OperatingPoint:
    """Accept below the first, reject from the second; between them a part is looked at again."""

    accept_below: float
    reject_from: float

    @property
    def has_band(self) -> bool:
        return self.reject_from > self.accept_below


@dataclass(frozen=True, eq=False)
class Choices:
    """What levers can choose from: the exported models by format, and the thresholds that were found best."""

    models: Mapping[str, Model]
    chosen: OperatingPoint


def expanded(levers: Iterable[Lever], line: Line) -> tuple[Lever, ...]:
    """Levers with "{station}" or "{buffer}" in a path, once for each station that has the path, or each buffer."""
    result: list[Lever] = []
    for lever in levers:
        fields = {field for path in lever.change for _, field, _, _ in string.Formatter().parse(path) if field}
        foreign = sorted(fields - PLACEHOLDERS)
        if foreign:
            raise unknown(f"{_where(lever)}: placeholder", foreign[0], PLACEHOLDERS)
        if "station" in fields:
            result += _per_station(lever, line)
        elif "buffer" in fields:
            result += [_filled(lever, number=number, buffer=number) for number in range(1, len(line.buffers) + 1)]
        else:
            result.append(lever)
    return tuple(result)


def _per_station(lever: Lever, line: Line) -> list[Lever]:
    copies = []
    for number, station in enumerate(line.stations, start=1):
        filled = _filled(lever, number=number, station=station.name)
        if all(
            _has(dataclasses.asdict(station), path.split(".")[2:])
            for path in filled.change
            if path.startswith("stations.")
        ):
            copies.append(filled)
    if not copies:
        raise InputError(f"{_where(lever)}: no station has {', '.join(lever.change)}: remove the lever")
    return copies


def _has(place: Any, keys: list[str]) -> bool:
    for key in keys:
        if not isinstance(place, dict) or place.get(key) is None:
            return False
        place = place[key]
    return True


def _filled(lever: Lever, **values: Any) -> Lever:
    try:
        name = lever.name.format(**values)
    except (KeyError, IndexError, ValueError):
        raise InputError(f"{_where(lever)}: its name may hold {', '.join(values)} in braces") from None
    return replace(lever, name=name, change={path.format(**values): change for path, change in lever.change.items()})


def applied(lever: Lever, scenario: Scenario, choices: Choices) -> Scenario:
    """The scenario with the lever's change, under the lever's name.

    Raises InputError for a path, model or threshold that does not exist.
    """
    changed, paths = replace(scenario, name=lever.name), dict[str, Any]()
    for path, change in lever.change.items():
        if path == "model":
            changed = _with_model(lever, changed, str(change), choices)
        elif path == "errors":
            if not isinstance(change, Scale):
                raise InputError(f"{_where(lever)}: errors = {change!r}: expected {{scale: 0.5}} or the like")
            changed = replace(changed, curve=changed.measured.with_errors_scaled(change.scale))
        elif path == "threshold":
            point = _point(lever, change, choices)
            changed = changed.at(point.accept_below, point.reject_from)
        else:
            paths[path] = dataclasses.asdict(change) if isinstance(change, Scale | Add) else change
    return replace(changed, line=changed.line.with_(paths)) if paths else changed


def _with_model(lever: Lever, scenario: Scenario, name: str, choices: Choices) -> Scenario:
    if name not in choices.models:
        raise unknown(f"{_where(lever)}: model", name, choices.models)
    model, today = choices.models[name], scenario.measured
    if model.curve.classes != today.classes:
        raise InputError(
            f"{_where(lever)}: model {name!r} knows the classes {', '.join(model.curve.classes)}, "
            f"today's {', '.join(today.classes)}: evaluate both on the same data"
        )
    return replace(scenario, curve=model.curve.at(today.accept_below, today.reject_from), latency_ms=model.latency_ms)


def _point(lever: Lever, change: Any, choices: Choices) -> OperatingPoint:
    if change == CHOSEN:
        return choices.chosen
    if isinstance(change, int | float) and 0 <= change <= 1:
        return OperatingPoint(float(change), float(change))
    raise InputError(f"{_where(lever)}: threshold = {change!r}: expected {CHOSEN!r} or a number in [0, 1]")


def _where(lever: Lever) -> str:
    return f"ExperimentSettings.levers: {lever.name!r}"


def described(lever: Lever) -> str:
    """The change in a few words.

    >>> described(Lever(name="x", lever="buffer", change={"buffer_2": Add(add=4)}))
    'buffer_2 +4'
    """
    words = []
    for path, change in lever.change.items():
        if isinstance(change, Scale):
            words.append(f"{path} {100 * (change.scale - 1):+.3g} %".replace("-", "−"))
        elif isinstance(change, Add):
            words.append(f"{path} {change.add:+g}".replace("-", "−"))
        else:
            words.append(f"{path} = {change}")
    return ", ".join(words)
