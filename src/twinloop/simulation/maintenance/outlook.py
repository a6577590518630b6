"""Which machine of a running line fails next, and what its machines' health and load will be.

Many futures of every machine, given what its events have told: how long its life has lasted by its own clock, and the
health at its last warning, repair or maintenance. Where a predictor has told its risks, they take the place of that.
Load goes on as it was: a machine's share of work in spans of the past as long as the one ahead.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import RiskTable
from twinloop.contracts.clock import check_clock
from twinloop.contracts.risk_table import Hazard
from twinloop.errors import InputError, unknown
from twinloop.html import table
from twinloop.numbers import MINUTES_PER_HOUR, fixed, percent
from twinloop.replication.streams import Streams
from twinloop.simulation.degradation.history import WORKING
from twinloop.simulation.events.log import DOWN, MAINTENANCE, STARVED, WARNING, EventLog
from twinloop.simulation.events.state import LineState
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.residual import residual
from twinloop.simulation.model.station import Station
from twinloop.simulation.model.wear_path import WearPath, level_left

Floats = NDArray[np.float64]
TELLING = (WARNING, DOWN, MAINTENANCE)
STEPS, SPANS, TRIES = 12, 10, 30
# One row per machine: the probability to be the next that fails, and when it does, in minutes of the line's clock.
MACHINES = ("machine", "next", "fails_min", "fails_low", "fails_high", "load")
# Per machine and minute: health (null without wear; 0 once failed), the probability that it has not failed, its load.
COURSE = ("machine", "minute", "health", "health_low", "health_high", "alive", "load", "load_low", "load_high")


@dataclass(frozen=True, eq=False)
class Outlook:
    """machines: a row each that can fail (`MACHINES`), the likeliest to be next first. course: `COURSE`."""

    line: str
    clock_min: float
    minutes: float
    confidence: float
    machines: pl.DataFrame
    course: pl.DataFrame

    @property
    def machine(self) -> str:
        """The one that is likeliest to fail next."""
        return str(self.machines["machine"][0])

    @property
    def minute(self) -> float:
        """By when it is as likely as not to have failed."""
        return float(self.machines["fails_min"][0])

    def _repr_html_(self) -> str:
        rows = [
            (name, percent(share, digits=0), _shown(at), f"{_shown(low)} … {_shown(high)}", percent(load, digits=0))
            for name, share, at, low, high, load in self.machines.iter_rows()
        ]
        caption = (
            f"{self.line}, minute {self.clock_min:g}: who fails next; "
            f"{100 * self.confidence:g} % of the futures lie between"
        )
        return table(caption, ("", "fails next", "in minute", "between", "load so far"), rows)


class _Futures(NamedTuple):
    """left [R]: minutes of its own clock until it fails. health [R, T]: over minutes of work; None without wear."""

    left: Floats
    health: Floats | None


def outlook(
    state: LineState,
    log: EventLog,
    line: Line,
    *,
    minutes: float,
    risks: RiskTable | None = None,
    futures: int = 400,
    seed: int = 1,
    confidence: float = 0.9,
) -> Outlook:
    """What is to be expected of the next `minutes` of a line whose log ends at its state.

    risks: what a predictor says of some of its machines at this moment, by hours of work. Raises InputError for a line
    whose machines cannot fail, for risks of another plant or clock, and for minutes that are not above 0.
    """
    if not (0 < minutes < math.inf):
        raise InputError(f"outlook: minutes = {minutes:g}: expected a finite number above 0")
    stations = [station for station in line.stations for _ in range(station.servers)]
    names = [machine.name for machine in state.machines][: len(stations)]
    told = _told(risks, names)
    streams, ahead = Streams(seed, 0), np.linspace(0.0, minutes, STEPS + 1)
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    fails, shown, course = [], [], []
    for entity, (name, station) in enumerate(zip(names, stations, strict=True), start=1):
        if station.failure is None and station.wear is None:
            continue
        loads = _loads(log, entity, now=state.clock_min, span=minutes)
        load = float(loads.mean())
        by_work = station.wear is not None or station.failure_clock == "operation"
        pace = load if by_work else 1.0
        rng = streams.generator(name, "outlook")
        drawn = _drawn(station, state, log, entity, ahead * load, rng, futures)
        left = drawn.left if name not in told else _by_risk(told[name], rng, futures)
        at = state.clock_min + left / max(pace, 1e-9)
        fails.append(at)
        shown.append((name, load))
        alive = (at[:, None] > state.clock_min + ahead).astype(np.float64)
        health = None if drawn.health is None or name in told else drawn.health
        low, high = np.quantile(loads, tails)
        for step, minute in enumerate(state.clock_min + ahead):
            ends: tuple[float | None, ...] = (None, None, None)
            if health is not None:
                ends = (float(health[:, step].mean()), *np.quantile(health[:, step], tails).tolist())
            course.append((name, float(minute), *ends, float(alive[:, step].mean()), load, float(low), float(high)))
    if not fails:
        raise InputError(f"outlook: no machine of {line.name} can fail: describe its failures or its wear")
    times = np.stack(fails)
    first = np.bincount(times.argmin(axis=0), minlength=len(times)) / futures
    rows = [
        # Futures in which it never fails leave no number between two of them.
        (name, float(share), *np.quantile(at, (0.5, *tails), method="inverted_cdf").tolist(), load)
        for (name, load), share, at in zip(shown, first, times, strict=True)
    ]
    machines = pl.DataFrame(rows, schema=list(MACHINES), orient="row").sort("next", "machine", descending=[True, False])
    schema = {name: pl.String if name == "machine" else pl.Float64 for name in COURSE}
    told_course = pl.DataFrame(course, schema=schema, orient="row")
    return Outlook(line.name, state.clock_min, minutes, confidence, machines, told_course)


def _shown(minute: float) -> str:
    return fixed(minute, 0) if math.isfinite(minute) else "never"


def _told(risks: RiskTable | None, names: Sequence[str]) -> dict[str, list[Hazard]]:
    if risks is None:
        return {}
    check_clock("outlook", risks.clock, expected="work", remedy="machines wear by the hours that they work")
    for asset in risks.assets:
        if asset not in names:
            raise unknown("outlook: risk table: asset", asset, names)
    return {asset: list(risks.components(asset).values()) for asset in risks.assets}


def _by_risk(hazards: Sequence[Hazard], rng: np.random.Generator, futures: int) -> Floats:
    """[R] minutes of work until the first component fails: where the hazards together reach an exponential draw."""
    drawn = rng.exponential(size=futures)
    hours = np.linspace(0.0, max(float(hazard.hours[-1]) for hazard in hazards), 200)
    total = np.sum([hazard.until(hours) for hazard in hazards], axis=0)
    slope = (total[-1] - total[-2]) / (hours[-1] - hours[-2])
    beyond = np.maximum(drawn - total[-1], 0.0) / slope if slope > 0 else np.where(drawn > total[-1], np.inf, 0.0)
    left: Floats = (np.interp(drawn, total, hours) + beyond) * MINUTES_PER_HOUR
    return left


def _drawn(
    station: Station,
    state: LineState,
    log: EventLog,
    entity: int,
    work: Floats,
    rng: np.random.Generator,
    futures: int,
) -> _Futures:
    if station.wear is None:
        assert station.failure is not None
        lasted = state.machines[entity - 1].life_min
        return _Futures(np.array([residual(station.failure, lasted, rng) for _ in range(futures)]), None)
    start, since = _last_told(station, log, entity)
    worked = _worked(log, entity, since, state.clock_min)
    paths: list[WearPath] = []
    for _ in range(TRIES * futures):
        path = WearPath.draw(station.wear, rng, start=start)
        if path.life_min > worked:
            paths.append(path)
        if len(paths) == futures:
            break
    if not paths:  # older than all that were drawn: it fails any minute
        return _Futures(np.zeros(futures), np.zeros((futures, len(work))))
    # Of an age that few reach there are fewer futures: they are taken in turn.
    chosen = [paths[number % len(paths)] for number in range(futures)]
    left = np.array([path.life_min - worked for path in chosen])
    return _Futures(left, np.array([path.health(worked + work) for path in chosen]))


def _last_told(station: Station, log: EventLog, entity: int) -> tuple[float, float]:
    """Level of wear behind the last event that tells of it, and when that was."""
    wear = station.wear
    assert wear is not None
    rows = np.flatnonzero((log.entity == entity) & np.isin(log.event, TELLING))
    if not len(rows):
        return 0.0, 0.0
    row = rows[np.argmax(log.time[rows])]
    health = float(log.value[row])
    if log.event[row] == WARNING:
        return (1 - health) * wear.limit, float(log.time[row])
    by_upkeep = log.event[row] == MAINTENANCE and station.maintenance is not None
    restoration = station.maintenance.restoration if by_upkeep and station.maintenance else wear.restoration
    return level_left(wear, health, restoration), float(log.time[row])


def _working(log: EventLog, entity: int) -> tuple[Floats, Floats]:
    """Times of its changes of state, from 0 on, and minutes of work until each of them."""
    rows = np.flatnonzero((log.entity == entity) & (log.event >= STARVED))
    rows = rows[np.lexsort((rows, log.time[rows]))]
    time = np.append(0.0, log.time[rows])
    works = np.append(False, np.isin(log.event[rows], WORKING))
    end = max(log.horizon, float(time[-1]))
    knots = np.append(time, end)
    return knots, np.append(0.0, (np.diff(knots) * works).cumsum())


def _worked(log: EventLog, entity: int, since: float, until: float) -> float:
    knots, minutes = _working(log, entity)
    before, now = np.interp([since, until], knots, minutes)
    return float(now - before)


def _loads(log: EventLog, entity: int, *, now: float, span: float) -> Floats:
    """Share of work in the last spans, or in the whole time where that is shorter; 1 before anything happened."""
    if now <= 0:
        return np.ones(1)
    knots, minutes = _working(log, entity)
    count = min(max(int(now / span), 1), SPANS)
    edges = now - min(span, now) * np.arange(count + 1)[::-1]
    loads: Floats = np.diff(np.interp(edges, knots, minutes)) / np.diff(edges)
    return loads
