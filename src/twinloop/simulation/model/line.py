"""A production line as data: source, stations, buffers, inspection, rework. The YAML of a line is exactly this.

Parts flow through the stations in order; `buffers[i]` lies between station i + 1 and i + 2 (counted
from 1). A station that finishes while the buffer behind it is full keeps the part and is blocked
(blocking after service). Times are minutes of planned production.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import Field

from twinloop.config import Invalid, parse, settings
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.materials import Material
from twinloop.simulation.model.overlay import overlaid
from twinloop.simulation.model.quality import Inspection, Rework
from twinloop.simulation.model.resources import Crew, Operators, Transport
from twinloop.simulation.model.source import Source
from twinloop.simulation.model.station import Station

if TYPE_CHECKING:
    from twinloop.simulation.experiments.result import Result


@settings
class Line:
    """A production line, serial or routed.

    Serial: parts visit all stations in order; `buffers` has one capacity between each two neighbours.
    Routed: as soon as a variant has a route or a station has `next`; each station then has its own `queue`
    and `buffers` stays empty. Resources that are null (crew, transport) or empty (operators, materials) never
    make anyone wait.

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
    transport: Transport | None = None

    def __post_init__(self) -> None:
        names = [station.name for station in self.stations] + ([self.rework.name] if self.rework else [])
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected different station names, {twice[0]!r} comes twice")
        if self.routed:
            self._check_routes()
        elif len(self.buffers) != len(self.stations) - 1:
            raise ValueError(
                f"expected {len(self.stations) - 1} buffers, one between each two of {len(self.stations)} stations, "
                f"got {len(self.buffers)}"
            )
        if sum(station.inspects for station in self.stations) > 1:
            raise ValueError("expected at most one station with inspects: true")
        if self.rework:
            self._check_rework(self.rework)

    def _check_rework(self, rework: Rework) -> None:
        if self.inspecting is None:
            raise ValueError("rework expects a station with inspects: true; no part would ever reach it")
        before = [station.name for station in self.stations[: self.inspecting + 1]]
        if rework.returns_to is not None and rework.returns_to not in before:
            raise ValueError(
                f"rework.returns_to = {rework.returns_to!r}: expected the inspecting station or one before it "
                f"({', '.join(before)}); repaired parts must be inspected again"
            )

    def _check_routes(self) -> None:
        known = {station.name for station in self.stations}
        if self.buffers:
            raise ValueError("a routed line takes no buffers: give each station its own queue")
        for variant in self.source.variants:
            foreign = [name for name in variant.route or () if name not in known]
            if foreign:
                raise ValueError(f"variant {variant.name}: expected a route of known stations, got {foreign[0]!r}")

    @property
    def routed(self) -> bool:
        """Whether parts find their way by routes or branches instead of one station after the other."""
        return any(v.route is not None for v in self.source.variants) or any(s.next for s in self.stations)

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

    @property
    def bottleneck(self) -> int:
        """Position (from 0) of the station with the longest mean time per part, breakdowns and set-ups included.

        It is known from the description alone, so that all replications of a line speak of the same station.
        """
        return max(range(len(self.stations)), key=self.minutes_per_part)

    def minutes_per_part(self, position: int) -> float:
        """Mean minutes the station at `position` (from 0) needs per part in lots as they come (plan fifo)."""
        station, variants = self.stations[position], self.source.variants
        total = sum(variant.share for variant in variants)
        factor = sum(variant.share * variant.cycle_factor for variant in variants) / total
        changes = 1 - sum((variant.share / total) ** 2 for variant in variants)
        setup = station.setup.average * changes / self.source.lot_size if station.setup else 0.0
        return (station.cycle.average * factor * station.downtime_factor + setup) / station.servers

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Line":
        """Read a line's YAML file. Raises InputError for a missing file or an invalid line."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"line: {path}: cannot be read ({error.strerror}): give the path of a line's YAML"
            ) from None
        try:
            return parse(cls, yaml.safe_load(text))
        except (Invalid, yaml.YAMLError) as error:
            raise InputError(f"line: {path}: {' '.join(str(error).split())}") from None

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
        workers: int = 1,
    ) -> "Result":
        """Simulate `days` after the warm-up, `replications` times; the result is the same for any number of workers.

        Without a measured `curve` the inspection uses the line's assumed rates, and the result says so.
        Raises InputError for arguments that cannot be used, RunError when the line stops for good.
        """
        from twinloop.simulation.experiments.experiment import Scenario, run_scenarios

        scenario = Scenario(name=self.name, line=self, curve=curve, latency_ms=latency_ms)
        results = run_scenarios(
            (scenario,),
            economy=economy or Economy(),
            days=days,
            warmup_days=warmup_days,
            replications=replications,
            confidence=confidence,
            seed=seed,
            workers=workers,
        )
        return results[self.name]

    def _repr_html_(self) -> str:
        from twinloop.simulation.figures.faces import line_svg

        return line_svg(self)
