"""A production line as data: source, stations, buffers, inspection, rework. The YAML of a line is exactly this.

Parts flow through the stations in order; `buffers[i]` lies between station i + 1 and i + 2 (counted
from 1). A station that finishes while the buffer behind it is full keeps the part and is blocked
(blocking after service). Times are minutes of planned production.
"""

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import Invalid, parse, parse_file, settings
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.gathering import check_assemblies, check_batches, pieces
from twinloop.simulation.model.initial import Initial, check_initial
from twinloop.simulation.model.joint import Joint, check_joint
from twinloop.simulation.model.materials import Material, check_materials
from twinloop.simulation.model.overlay import overlaid
from twinloop.simulation.model.population import check_population
from twinloop.simulation.model.quality import Inspection, Rework, check_rework
from twinloop.simulation.model.resources import Crew, Operators, Transport, check_operators
from twinloop.simulation.model.routing import check_routing, check_serial, paths, visits
from twinloop.simulation.model.source import Source
from twinloop.simulation.model.span import Span, check_spans
from twinloop.simulation.model.station import Station
from twinloop.simulation.model.variants import check_variants, mean_cycle, mean_setup

if TYPE_CHECKING:
    from twinloop.replication.design import Backend
    from twinloop.replication.optimisation import Optimum
    from twinloop.simulation.engine.live import LiveLine
    from twinloop.simulation.experiments.design import Engine, How
    from twinloop.simulation.experiments.result import Result
    from twinloop.simulation.experiments.scenarios import SideBySide
    from twinloop.simulation.experiments.settings import OptimiseSettings
    from twinloop.simulation.experiments.warmup import WarmUp


@settings
class Line:
    """A production line, serial or routed.

    Serial: parts visit all stations in order; `buffers` has one capacity between each two neighbours.
    Routed: as soon as a variant has a route or a station has `next`; each station then has its own `queue`
    and `buffers` stays empty. initial: parts that are there when the line starts. Resources that are null (crew,
    transport) or empty (operators, materials) never make anyone wait. spans: what is timed from station to station, or
    limited; a line with spans is told by the figures of a service (events.service), of which the first span is what
    parts come for. joint: cycles of a part that are one row of a table.

    >>> from twinloop.simulation import Distribution, Station
    >>> press = Station(name="press", cycle=Distribution(kind="exponential", mean=2.0))
    >>> pack = Station(name="pack", cycle=Distribution(kind="exponential", mean=2.0))
    >>> Line(stations=(press, pack), buffers=(4,)).with_(buffer_1=8).buffers
    (8,)
    """

    name: str = "line"
    minutes_per_day: Annotated[float, Field(gt=0)] = 960.0
    source: Source = Source()
    stations: Annotated[tuple[Station, ...], Field(min_length=1)]
    buffers: tuple[Annotated[int, Field(ge=0)], ...] = ()
    inspection: Inspection = Inspection()
    rework: Rework | None = None
    materials: tuple[Material, ...] = ()
    operators: tuple[Operators, ...] = ()
    crew: Crew | None = None
    initial: tuple[Initial, ...] = ()
    transport: Transport | None = None
    spans: tuple[Span, ...] = ()
    joint: Joint | None = None

    def __post_init__(self) -> None:
        names = [station.name for station in self.stations] + ([self.rework.name] if self.rework else [])
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected different station names, {twice[0]!r} comes twice")
        if self.routed:
            check_routing(
                self.stations, self.buffers, self.source.variants, saturated=self.saturated, closed=self.closed
            )
        else:
            check_serial(self.stations, self.buffers, saturated=self.saturated)
        if sum(station.inspects for station in self.stations) > 1:
            raise ValueError("expected at most one station with inspects: true")
        if self.rework:
            check_rework(self.rework, names[:-1], inspecting=self.inspecting, routed=self.routed)
        self._check_resources(names)

    def _check_resources(self, places: list[str]) -> None:
        named = [*places, *(group.name for group in self.operators), *(stock.name for stock in self.materials)]
        named += ["vehicle"] if self.transport else []
        named += [span.name for span in self.spans]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(
                f"expected different names of stations, operators, materials and spans, {twice[0]!r} comes twice"
            )
        check_operators(self.operators, self.crew, places, day=self.minutes_per_day)
        check_materials(self.materials, self.stations)
        check_variants(self.stations, self.source.variants)
        routes = self.routed and not self.branching
        check_initial(self.initial, self.stations, self.source.variants, self.rooms, routes=routes)
        self._check_waiting()
        self._check_service()
        check_batches(self.stations, self.rooms)
        repeats = range(self.return_position, (self.inspecting or 0) + 1) if self.rework else ()
        variants = [variant.name for variant in self.source.variants]
        repeated = [self.stations[position].name for position in repeats]
        check_assemblies(self.stations, variants, self._visits, repeated=repeated)

    def _check_waiting(self) -> None:
        """Raises ValueError for what waiting parts cannot do where they are gathered or carried."""
        for position, station in enumerate(self.stations):
            if station.patience and (self.transport or (self.saturated and position in self.entries)):
                reason = "transport" if self.transport else "a source that is never empty"
                raise ValueError(f"station {station.name}: patience does not go with {reason}: nobody waits there")
            if self.prioritised and station.batch > 1:
                raise ValueError(f"station {station.name}: priorities do not go with a batch, which waits as it came")

    def _check_service(self) -> None:
        """Raises ValueError for spans, a joint table, a population, unlimited stations that do not fit the rest."""
        names = [station.name for station in self.stations]
        fed = [names[entry] for entry in self.entries] if self.saturated else []
        check_spans(self.spans, self.stations, self.source.variants, fed=fed, carried=self.transport is not None)
        check_joint(self.joint, self.stations)
        check_population(self.source, self.stations, self.entries, self.spans, initial=bool(self.initial))
        staffed = {skill for group in self.operators for skill in group.skills}
        for station in self.stations:
            others = {
                "a source that is never empty": station.name in fed,
                "operators": station.name in staffed,
                "transport": self.transport is not None,
            }
            reason = next((name for name, given in others.items() if given), None)
            if station.unlimited and reason:
                raise ValueError(f"station {station.name}: unlimited does not go with {reason}: nobody waits there")

    @property
    def routed(self) -> bool:
        """Whether parts find their way by routes or branches instead of one station after the other."""
        return any(v.route is not None for v in self.source.variants) or any(s.next for s in self.stations)

    @property
    def branching(self) -> bool:
        """Whether stations draw where a part goes next."""
        return any(station.next for station in self.stations)

    @property
    def saturated(self) -> bool:
        """Whether the source always has one more part."""
        return self.source.interarrival is None and not self.source.orders and not self.closed

    @property
    def closed(self) -> bool:
        """Whether a population goes round that never leaves."""
        return self.source.population is not None

    @property
    def can_grow(self) -> bool:
        """Whether there is room for ever more parts, and no end of those that come."""
        if self.source.orders or self.closed:
            return False
        rooms = zip(self.stations, self.rooms, strict=True)
        endless = {
            place
            for place, (station, room) in enumerate(rooms)
            if room == math.inf and not station.patience and not station.unlimited
        }
        if self.saturated:
            return bool(endless.difference(self.entries))
        outside = self.source.when_full == "wait" and any(self.rooms[place] < math.inf for place in self.entries)
        return outside or bool(endless)

    @property
    def loses(self) -> bool:
        """Whether parts can leave unserved."""
        turned_away = self.source.when_full == "lose" or any(span.when_full == "lose" for span in self.spans)
        return turned_away or any(station.patience for station in self.stations)

    @property
    def prioritised(self) -> bool:
        """Whether not all parts have the same priority, those that are there at the start among them."""
        names = [variant.name for variant in self.source.variants]
        before = {names.index(parts.variant) if parts.variant else 0 for parts in self.initial}
        return len(self.source.priorities | {self.source.priority(-1, variant) for variant in before}) > 1

    @property
    def initial_parts(self) -> int:
        """Parts that are there when the line starts; they have the first numbers."""
        return sum(parts.quantity for parts in self.initial)

    @property
    def entries(self) -> tuple[int, ...]:
        """Position (from 0) of the station that parts enter at, per variant."""
        if not self.routed:
            return (0,) * len(self.source.variants)
        return tuple(path[0] for path in paths(self.stations, self.source.variants))

    @property
    def rooms(self) -> tuple[float, ...]:
        """How many parts can wait in front of each station."""
        if not self.routed:
            first = self.stations[0].queue
            return (math.inf if first is None else first, *self.buffers)
        return tuple(math.inf if station.queue is None else station.queue for station in self.stations)

    @property
    def _visits(self) -> NDArray[np.float64]:
        variants = self.source.variants
        if not self.routed:
            return np.ones((len(variants), len(self.stations)))
        return visits(self.stations, variants, closed=self.closed)

    @property
    def inspecting(self) -> int | None:
        """Position (from 0) of the inspecting station, None without inspection."""
        return next((index for index, station in enumerate(self.stations) if station.inspects), None)

    @property
    def return_position(self) -> int:
        """Position (from 0) of the station that reworked parts go to."""
        names = [station.name for station in self.stations]
        if self.rework and self.rework.returns_to:
            return names.index(self.rework.returns_to)
        return self.inspecting or 0

    @cached_property
    def bottleneck(self) -> int:
        """Position (from 0) of the station with the longest mean time per part, breakdowns and set-ups included.

        It is known from the description alone, so that all replications of a line speak of the same station.
        """
        return max(range(len(self.stations)), key=self.minutes_per_part)

    def minutes_per_part(self, position: int) -> float:
        """Mean minutes the station at `position` (from 0) needs per part in lots as they come (plan fifo).

        On a routed line: for all visits of a part together, which may be none.
        """
        station, variants = self.stations[position], self.source.variants
        times = pieces(self.stations, [variant.name for variant in variants], self._visits)[:, position]
        weights = [share * time for share, time in zip(self.source.shares, times, strict=True)]
        visited = sum(weights)
        if visited == 0:
            return 0.0
        setup = visited * mean_setup(station, variants, [weight / visited for weight in weights]) / self.source.lot_size
        return float(mean_cycle(station, variants, weights) * station.downtime_factor + setup) / station.speed

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Line":
        """Read a line's YAML file. Raises InputError for a missing file or an invalid line."""
        return parse_file(cls, path, name="line", remedy="give the path of a line's YAML")

    def with_(self, changes: Mapping[str, Any] | None = None, **named: Any) -> "Line":
        """The same line with some values changed; keys are dotted paths, stations by name or number.

        `buffer_2=8` is the second buffer; `{"stations.press.repair.mean": {"scale": 0.8}}` multiplies and
        `{"add": 4}` adds. Raises InputError for an unknown key, naming the nearest one.
        """
        plain = overlaid(dataclasses.asdict(self), {**(changes or {}), **named})
        try:
            return parse(Line, plain)
        except Invalid as error:
            raise InputError(f"line: {error}") from None

    def run(
        self,
        *,
        days: float,
        replications: int = 10,
        seed: int = 1,
        warmup_days: float = 1.0,
        curve: OperatingCurve | None = None,
        latency_ms: float = 0.0,
        economy: Economy | None = None,
        confidence: float = 0.95,
        precision: float | None = None,
        precision_of: str | None = None,
        max_replications: int = 1000,
        engine: "Engine" = "auto",
        workers: int = 1,
        backend: "Backend" = "processes",
    ) -> "Result":
        """Simulate `days` after the warm-up, `replications` times; the result is the same for any number of workers.

        Without a measured `curve` the inspection uses the line's assumed rates, and the result says so.
        With a `precision` (0.02 for ±2 % of `precision_of`, the first key figure unless given) replications go on in
        batches until it is reached.
        Raises InputError for arguments that cannot be used, RunError when the line stops for good.
        """
        from twinloop.simulation.experiments.experiment import run_scenarios
        from twinloop.simulation.experiments.scenario import Scenario

        scenario = Scenario(name=self.name, line=self, curve=curve, latency_ms=latency_ms)
        results = run_scenarios(
            (scenario,),
            economy=economy or Economy(),
            days=days,
            warmup_days=warmup_days,
            replications=replications,
            confidence=confidence,
            precision=precision,
            precision_of=precision_of,
            max_replications=max_replications,
            seed=seed,
            engine=engine,
            workers=workers,
            backend=backend,
        )
        return results[self.name]

    def compare(
        self,
        scenarios: "Mapping[str, Mapping[str, Any]] | str | Path",
        *,
        curve: OperatingCurve | None = None,
        latency_ms: float = 0.0,
        **how: "Unpack[How]",
    ) -> "SideBySide":
        """Today's line and scenarios side by side, with common random numbers.

        scenarios: name → changes as in `with_`, or the path of such a YAML. The other keywords are those of `run`.
        Raises InputError for a change or an argument that cannot be used.

        >>> from twinloop.simulation import Distribution, Station
        >>> press = Station(name="press", cycle=Distribution(kind="exponential", mean=2.0))
        >>> faster = Line(stations=(press,)).compare({"faster": {"stations.press.cycle.mean": {"scale": 0.5}}}, days=2)
        >>> round(faster["faster"].relative("throughput_per_day").mean, 1)
        1.0
        """
        from twinloop.simulation.experiments.scenarios import side_by_side

        return side_by_side(self, scenarios, curve=curve, latency_ms=latency_ms, **how)

    def optimise(self, space: "OptimiseSettings", **how: "Unpack[How]") -> "Optimum":
        """The best line within a space of changes, with an honest gain; the other keywords are those of `run`.

        Raises InputError for a space that does not fit the line.
        """
        from twinloop.simulation.experiments.optimisation import optimise

        return optimise(self, space, **how)

    def warm_up(self, **how: "Unpack[How]") -> "WarmUp":
        """How many days the empty line takes to fill, by MSER-5; the keywords are those of `run`.

        Raises InputError for a horizon shorter than the warm-up.
        """
        from twinloop.simulation.experiments.warmup import warm_up

        return warm_up(self, **how)

    def live(
        self,
        *,
        seed: int = 1,
        replication: int = 0,
        curve: OperatingCurve | None = None,
        latency_ms: float = 0.0,
    ) -> "LiveLine":
        """This line at minute 0, to be run step by step: `step(minutes)`, `run_until(minute)`, `state`, `subscribe`.

        It does what replication `replication` of a run does. Raises InputError when the line names classes the curve
        does not know.

        >>> from twinloop.simulation import Distribution, Station
        >>> press = Station(name="press", cycle=Distribution(kind="deterministic", mean=2.0))
        >>> Line(stations=(press,)).live().run_until(9.0).state.shipped
        4
        """
        from twinloop.simulation.engine.live import live_line

        return live_line(self, seed=seed, replication=replication, curve=curve, latency_ms=latency_ms)

    def _repr_html_(self) -> str:
        from twinloop.simulation.figures.flow import line_svg

        return line_svg(self)
