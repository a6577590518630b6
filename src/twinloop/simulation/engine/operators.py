"""Operators with skills and shifts: a machine is idle until somebody who can run it is free and there.

Whoever becomes free goes to the machine that has waited longest among those they can run; of several groups the
first in the line's list sends somebody. An operator is an entity of the log like a machine: running while busy at a
machine, else idle, on shift or off.
"""

import heapq
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import simpy

from twinloop.simulation.events.log import IDLE, RUNNING, EventLog
from twinloop.simulation.model.resources import Operators, Shift, spans


@dataclass(eq=False)
class Team:
    """The people of one group: who is free (entity numbers), and whether their shift is on."""

    skills: frozenset[str]
    free: list[int]
    on_shift: bool


class Staff:
    """All operators of a line; their entities are numbered from `first` on in the order of the groups."""

    def __init__(
        self, env: simpy.Environment, log: EventLog, first: int, groups: Sequence[Operators], *, day: float
    ) -> None:
        self._env, self._log = env, log
        self._teams: list[Team] = []
        self._team_of: dict[int, Team] = {}
        self._calls: deque[tuple[str, simpy.Event]] = deque()
        for group in groups:
            people = list(range(first, first + group.count))
            first += group.count
            team = Team(frozenset(group.skills), people, on_shift=not group.shifts)
            self._teams.append(team)
            self._team_of |= dict.fromkeys(people, team)
            for person in people:
                log.record(env.now, IDLE, person)
            if group.shifts:
                env.process(self._clock(team, group.shifts, day))

    def runs(self, station: str) -> bool:
        """Whether the station needs an operator."""
        return any(station in team.skills for team in self._teams)

    def call(self, station: str) -> int | simpy.Event:
        """The operator who comes at once, or the event that fires with the one who does."""
        person = self._send(station)
        if person is not None:
            return person
        answer = self._env.event()
        self._calls.append((station, answer))
        return answer

    def leave(self, person: int) -> None:
        """An operator has finished: goes to the next machine, if one waits and the shift is on."""
        self._log.record(self._env.now, IDLE, person)
        heapq.heappush(self._team_of[person].free, person)
        self._answer()

    def _send(self, station: str) -> int | None:
        for team in self._teams:
            if team.on_shift and team.free and station in team.skills:
                person = heapq.heappop(team.free)
                self._log.record(self._env.now, RUNNING, person)
                return person
        return None

    def _answer(self) -> None:
        for call in list(self._calls):
            person = self._send(call[0])
            if person is not None:
                self._calls.remove(call)
                call[1].succeed(person)

    def _clock(self, team: Team, shifts: Sequence[Shift], day: float) -> Generator[simpy.Event, None, None]:
        for start, end in spans(shifts, day):
            yield self._env.timeout(start - self._env.now)
            team.on_shift = True
            self._answer()
            if end == float("inf"):
                return
            yield self._env.timeout(end - self._env.now)
            team.on_shift = False
