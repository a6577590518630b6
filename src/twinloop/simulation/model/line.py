"""A production line as data: source, stations, buffers, inspection, rework. The YAML of a line is exactly this.

Parts flow through the stations in order; `buffers[i]` lies between station i + 1 and i + 2 (counted
from 1). A station that finishes while the buffer behind it is full keeps the part and is blocked
(blocking after service). Times are minutes of planned production.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import yaml
from pydantic import Field

from twinloop.config import Invalid, parse, settings
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.overlay import overlaid

if TYPE_CHECKING:
    from twinloop.simulation.experiments.result import Result

Name = Annotated[str, Field(pattern=r"^[A-Za-z][\w-]*$")]
Probability = Annotated[float, Field(ge=0, le=1)]


@settings
class Variant:
    """A product variant: its share of the lots and a factor on every station's cycle time."""

    name: Name
    share: Annotated[float, Field(gt=0)] = 1.0
    cycle_factor: Annotated[float, Field(gt=0)] = 1.0


@settings
class Source:
    """Where parts come from: arriving one by one, or always there (`interarrival: null`, saturated).

    Lots of `lot_size` parts come in random order of variants. `plan: fifo` releases them so; `grouped`
    sorts every `window` lots by variant, which saves set-ups.
    """

    interarrival: Distribution | None = None
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)] = (Variant(name="part"),)
    lot_size: Annotated[int, Field(ge=1)] = 1
    plan: Literal["fifo", "grouped"] = "fifo"
    window: Annotated[int, Field(ge=1)] = 6


@settings
class Station:
    """`servers` equal machines that take parts from one place.

    failure: time to failure, of operation or of the calendar (`failure_clock`); it needs `repair`.
    setup: time to change the variant. inspects: the station's cycle is one look of the camera.
    """

    name: Name
    cycle: Distribution
    servers: Annotated[int, Field(ge=1)] = 1
    setup: Distribution | None = None
    failure: Distribution | None = None
    failure_clock: Literal["operation", "calendar"] = "operation"
    repair: Distribution | None = None
    inspects: bool = False

    def __post_init__(self) -> None:
        if (self.failure is None) != (self.repair is None):
            raise ValueError("expected failure and repair together, or neither")

    @property
    def downtime_factor(self) -> float:
        """By how much breakdowns lengthen the mean time per part; 1 without them."""
        return 1 + self.repair.average / self.failure.average if self.failure and self.repair else 1.0


@settings
class AssumedRates:
    """Stands in for a measured curve until there is one: rates of a single look, one defect class."""

    defect_rate: Probability = 0.03
    escape_rate: Probability = 0.10
    false_reject_rate: Probability = 0.02
    repeatability: Probability = 0.8

    def curve(self) -> OperatingCurve:
        """An OperatingCurve of classes good and defect with these rates, called "assumed"."""
        return OperatingCurve(
            thresholds=np.array([0.5]),
            classes=("good", "defect"),
            below=np.array([[[1 - self.false_reject_rate], [self.escape_rate]]]),
            prevalence=np.array([1 - self.defect_rate, self.defect_rate]),
            counts=np.zeros(2, dtype=np.int64),
            repeatability=self.repeatability,
            accept_below=0.5,
            reject_from=0.5,
            model="assumed",
        )


@settings
class Inspection:
    """How the inspecting station uses its model: at most `max_looks` per visit, then `undecided` holds."""

    max_looks: Annotated[int, Field(ge=1, le=10)] = 2
    undecided: Literal["reject", "accept"] = "reject"
    assumed: AssumedRates = AssumedRates()


@settings
class Rework:
    """Where rejected parts go. Without a rework station they are scrapped.

    success: probability that one visit removes the defect; `success_by_class` overrides it per class.
    A part that is rejected again after `max_times` visits is scrapped: the loop always has an exit.
    when_full: a rejected part that finds `buffer` full is scrapped, or waits and blocks the inspection.
    returns_to: the station it goes to next (default: the inspecting one), before those waiting for room.
    """

    name: Name = "rework"
    cycle: Distribution
    servers: Annotated[int, Field(ge=1)] = 1
    buffer: Annotated[int, Field(ge=1)] = 10
    success: Probability = 0.7
    success_by_class: dict[str, Probability] = dataclasses.field(default_factory=dict)
    max_times: Annotated[int, Field(ge=1, le=10)] = 1
    when_full: Literal["scrap", "wait"] = "scrap"
    returns_to: str | None = None


@settings
class Line:
    """A serial production line. `buffers` has one capacity between each two neighbouring stations.

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

    def __post_init__(self) -> None:
        names = [station.name for station in self.stations] + ([self.rework.name] if self.rework else [])
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected different station names, {twice[0]!r} comes twice")
        if len(self.buffers) != len(self.stations) - 1:
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
