"""What is known of a line at one minute: every machine, every waiting part, and how many have left.

A part that has left a station and not begun at the next one waits there. What a log cannot tell is None.
"""

from dataclasses import asdict, dataclass
from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Any

from twinloop.errors import unknown
from twinloop.numbers import fixed
from twinloop.simulation.model.line import Line

if TYPE_CHECKING:
    from twinloop.contracts import OperatingCurve
    from twinloop.simulation.engine.live import LiveLine
    from twinloop.simulation.experiments.forecast import Forecast


@dataclass(frozen=True)
class Look:
    """One look of the inspection: its number within the visit (from 1), what it decided, the part's class then."""

    number: int
    decision: str
    condition: str | None


@dataclass(frozen=True)
class PartState:
    """A part on the line; `steps` counts the stations it has left, `repaired` is a rework since its class was told."""

    number: int
    variant: str | None
    entered_min: float
    condition: str | None
    looks: tuple[Look, ...] = ()
    reworks: int = 0
    repaired: bool = False
    rejected: bool = False
    steps: int = 0


@dataclass(frozen=True)
class MachineState:
    """What a machine does since when, and with which part.

    others: the rest of a batch, or of what it gathers. done: it has finished this part and only keeps it. variant: what
    it is set up for. worked_min: minutes spent on the present operation or set-up. down_min: minutes of the present
    breakdown. life_min: minutes since the last one by the station's failure clock. looks: looks at this part in this
    visit. health: 1 new to 0 failed, as last told since the machine was repaired or maintained; last_maintenance_min:
    when that ended.
    """

    name: str
    state: str
    since_min: float
    part: int | None
    others: tuple[int, ...]
    done: bool
    variant: str | None
    worked_min: float
    down_min: float
    life_min: float
    looks: int
    health: float | None
    last_maintenance_min: float | None


@dataclass(frozen=True)
class LineState:
    """A line at `clock_min`, before what happens at that minute.

    resources: operators, vehicles and stocks, whose levels are in `levels`.
    waiting: parts before every station, first the next. parts: those on the line, by number. lot: variant and number
    of the parts that entered last in a row. last_entry_min: when the last one did.
    """

    line: str
    clock_min: float
    machines: tuple[MachineState, ...]
    resources: tuple[MachineState, ...]
    levels: dict[str, float]
    waiting: dict[str, tuple[int, ...]]
    parts: dict[int, PartState]
    entered: int
    shipped: int
    scrapped: int
    joined: int
    next_number: int
    lot: tuple[str | None, int]
    last_entry_min: float | None
    lost: int = 0

    def __getitem__(self, name: str) -> MachineState:
        """The machine or resource of that name. Raises InputError for one that does not exist."""
        known = {machine.name: machine for machine in (*self.machines, *self.resources)}
        if name not in known:
            raise unknown("state: machine", name, known)
        return known[name]

    @property
    def elsewhere(self) -> tuple[int, ...]:
        """Parts that are neither in a machine nor known to wait before a station."""
        placed = set(chain.from_iterable(self.waiting.values()))
        for machine in (*self.machines, *self.resources):
            placed.update(machine.others, () if machine.part is None else (machine.part,))
        return tuple(number for number in self.parts if number not in placed)

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"parts": [asdict(part) for part in self.parts.values()]}

    def fork(
        self,
        line: Line,
        *,
        seed: int = 1,
        replication: int = 0,
        curve: "OperatingCurve | None" = None,
        latency_ms: float = 0.0,
    ) -> "LiveLine":
        """A live line that goes on from here with luck of its own (engine/fork.py).

        Raises InputError for a feature of the line that cannot be continued, and for a line that this is not of.
        """
        from twinloop.simulation.engine.live import live_line

        return live_line(line, seed=seed, replication=replication, curve=curve, latency_ms=latency_ms, start=self)

    def forecast(self, line: Line, *, minutes: float, **how: Any) -> "Forecast":
        """Key figures of the next `minutes`, from many forks; the keywords are those of experiments.forecast."""
        from twinloop.simulation.experiments.forecast import forecast

        return forecast(self, line, minutes=minutes, **how)

    def __str__(self) -> str:
        counts = f"{self.entered} parts entered, {self.shipped} shipped, {self.scrapped} scrapped"
        counts += f", {self.lost} lost" if self.lost else ""
        lines = [f"{self.line}, minute {self.clock_min:g}: {counts}, {len(self.parts)} on the line"]
        rows = self._rows()
        width = max(len(name) for name, _, _ in rows)
        lines += [f"  {name:<{width}}  {doing:<11} {notes}" for name, doing, notes in rows]
        lines += [f"  {len(parts)} wait before {station}" for station, parts in self.waiting.items() if parts]
        return "\n".join(lines)

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = []
        for machine in (*self.machines, *self.resources):
            notes = [f"{fixed(self.clock_min - machine.since_min, 1)} min"]
            notes += [f"part {machine.part}"] if machine.part is not None else []
            notes += [f"{len(machine.others)} more"] if machine.others else []
            notes += [f"level {self.levels[machine.name]:g}"] if machine.name in self.levels else []
            notes += [f"health {machine.health:.0%}"] if machine.health is not None else []
            rows.append((machine.name, machine.state, ", ".join(notes)))
        return rows

    def _repr_html_(self) -> str:
        counts = f"{self.entered} entered, {self.shipped} shipped, {self.scrapped} scrapped, {len(self.parts)} on it"
        caption = escape(f"{self.line}, minute {self.clock_min:g}: {counts}")
        rows = self._rows() + [
            (f"before {station}", f"{len(parts)} wait", ", ".join(f"part {part}" for part in parts[:5]))
            for station, parts in self.waiting.items()
            if parts
        ]
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        return (
            f'<table><caption style="text-align:left">{caption}</caption>'
            f"<thead><tr><th>machine</th><th>state</th><th>since</th></tr></thead><tbody>{body}</tbody></table>"
        )
