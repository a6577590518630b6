"""What a machine has been through, from the event log: its states over time, its work, its lives.

The wear paths are not logged. They follow from the line, the seed and the health at each maintenance, and are drawn
again here; so sensors can be simulated for any log long after its run.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts.alert_rates import Watched
from twinloop.replication.streams import Streams
from twinloop.simulation.events.log import DOWN, MAINTENANCE, RUNNING, STARVED, WARNING, EventLog
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.station import Station
from twinloop.simulation.model.wear_path import WearPath, level_left, life_path

Floats = NDArray[np.float64]
WORKING = (RUNNING, WARNING)


@dataclass(frozen=True, eq=False)
class Life:
    """From one renewal to the next, in minutes of the log; `failed` is false where maintenance or the horizon ended it.

    worked_before: minutes of work until it began. path: its wear over its own minutes of work.
    """

    begin_min: float
    end_min: float
    failed: bool
    worked_before: float
    path: WearPath


@dataclass(frozen=True, eq=False)
class History:
    """One machine. time, state, part: its [n] changes of state in order, as in the log. lives: none without wear."""

    asset: str
    station: Station
    horizon: float
    time: Floats
    state: NDArray[np.int8]
    part: NDArray[np.int64]
    lives: tuple[Life, ...]

    def minutes_in(self, states: tuple[int, ...], until: Floats) -> Floats:
        """Minutes that the machine has been in these states from the start until each of these times."""
        knots = np.append(self.time, max(self.horizon, self.time[-1]) + 1)
        spent = np.append(0.0, (np.diff(knots) * np.isin(self.state, states)).cumsum())
        minutes: Floats = np.interp(until, knots, spent)
        return minutes

    def age(self, time: Floats) -> Floats:
        """Minutes of work in the present life at each of these times."""
        before = np.array([life.worked_before for life in self.lives])
        age: Floats = self.minutes_in(WORKING, time) - before[self.life_at(time)]
        return age

    def life_at(self, time: Floats) -> NDArray[np.int64]:
        """Number of the life at each of these times; at the moment of a renewal it is still the old one."""
        begins = np.array([life.begin_min for life in self.lives])
        return np.maximum(np.searchsorted(begins, time, side="left") - 1, 0)

    def wear_share(self, time: Floats) -> Floats:
        """Wear level over its limit at each of these times; 0 for a machine without wear."""
        shares = np.zeros(len(time))
        if self.lives:
            number, age = self.life_at(time), self.age(time)
            for index in np.unique(number):
                path, inside = self.lives[index].path, number == index
                shares[inside] = 1 - path.health(age[inside])
        return shares


def watched_lives(history: History, time: Floats, score: Floats) -> list[Watched]:
    """The lives of a machine with a predictor's score [n] at these times [n] of the log, ascending."""
    number, age = history.life_at(time), history.age(time)
    ends = history.minutes_in(WORKING, np.array([life.end_min for life in history.lives]))
    return [
        Watched(age[number == index], score[number == index], float(end) - life.worked_before, life.failed)
        for index, (life, end) in enumerate(zip(history.lives, ends, strict=True))
    ]


def histories(line: Line, log: EventLog, *, seed: int, replication: int) -> Iterator[History]:
    """One history per machine of the line's stations, with the wear of the run that wrote the log.

    `seed` and `replication` are those of the run.
    """
    streams = Streams(seed, replication)
    stations = [station for station in line.stations for _ in range(station.servers)]
    for entity, station in enumerate(stations, start=1):
        rows = np.flatnonzero((log.entity == entity) & (log.event >= STARVED))
        rows = rows[np.lexsort((rows, log.time[rows]))]
        history = History(
            asset=log.entities[entity],
            station=station,
            horizon=log.horizon,
            time=np.append(0.0, log.time[rows]),
            state=np.append(np.int8(STARVED), log.event[rows]),
            part=np.append(-1, log.part[rows]),
            lives=(),
        )
        lives = tuple(_lives(history, np.append(np.nan, log.value[rows]), streams))
        yield History(**{**vars(history), "lives": lives})


def _lives(history: History, value: Floats, streams: Streams) -> Iterator[Life]:
    station, wear = history.station, history.station.wear
    if wear is None:
        return
    ends = np.flatnonzero(np.isin(history.state, (DOWN, MAINTENANCE)))
    worked = history.minutes_in(WORKING, history.time[ends])
    begin, before, start = 0.0, 0.0, 0.0
    for number, (row, minutes) in enumerate(zip(ends, worked, strict=True)):
        path = life_path(wear, streams, history.asset, number, start=start)
        failed = bool(history.state[row] == DOWN)
        yield Life(begin, float(history.time[row]), failed, before, path)
        maintenance = station.maintenance
        restoration = wear.restoration if failed or maintenance is None else maintenance.restoration
        start = level_left(wear, float(value[row]), restoration)
        begin, before = float(history.time[row]), float(minutes)
    path = life_path(wear, streams, history.asset, len(ends), start=start)
    yield Life(begin, history.horizon, False, before, path)
