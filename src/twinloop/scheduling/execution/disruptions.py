"""What can go wrong while a plan runs, and the luck of one replication.

Breakdowns come by the calendar of a machine, durations and inspections by job, deliveries by material, each from a
stream of its own: every plan meets exactly the same misfortune (common random numbers).
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.scheduling.problem import Material
from twinloop.scheduling.problem.settings import ShopSettings
from twinloop.simulation.model.distributions import Distribution, durations, guarded

NEVER = math.inf


@dataclass(frozen=True)
class Rework:
    """An operation fails its inspection with `probability`: it is repeated until it passes, or `minutes` follow once.

    The machine and the pools stay occupied; no material is used again. Raises InputError for impossible numbers.
    """

    probability: float
    minutes: float | None = None

    def __post_init__(self) -> None:
        _check_probability(self.probability, "rework")
        if self.minutes is None and self.probability == 1:
            raise InputError("rework: probability 1 repeats an operation for ever: give the minutes of one rework")
        if self.minutes is not None and not 0 <= self.minutes < NEVER:
            raise InputError(f"rework: minutes = {self.minutes:g}: expected a finite number of at least 0")


@dataclass(frozen=True)
class LateDeliveries:
    """Each delivery of a material is late with `probability`, by an exponential time of mean `mean_delay_min`."""

    probability: float
    mean_delay_min: float

    def __post_init__(self) -> None:
        _check_probability(self.probability, "late deliveries")
        if not 0 < self.mean_delay_min < NEVER:
            raise InputError(f"late deliveries: mean delay = {self.mean_delay_min:g}: expected a finite number above 0")


@dataclass(frozen=True)
class Disruptions:
    """What may happen; without a name in a mapping it never does.

    breakdowns: mean times to failure and to repair in minutes by machine. duration_cv: standard deviation of real
    durations over the planned ones. rework: by machine. deliveries: by material. Raises InputError for impossible
    numbers.
    """

    breakdowns: Mapping[str, tuple[float, float]]
    duration_cv: float = 0.0
    rework: Mapping[str, Rework] = field(default_factory=dict)
    deliveries: Mapping[str, LateDeliveries] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for machine, means in self.breakdowns.items():
            for name, mean in zip(("failure", "repair"), means, strict=True):
                if not 0 < mean < NEVER:
                    raise InputError(f"breakdowns of {machine}: mean time to {name} = {mean:g}: expected more than 0")
        if not 0 <= self.duration_cv < NEVER:
            raise InputError(f"disruptions: duration_cv = {self.duration_cv:g}: expected a number of at least 0")

    @classmethod
    def of(cls, settings: ShopSettings) -> "Disruptions":
        """Those of a configured shop."""
        breakdowns = {
            machine.name: (machine.mean_time_to_failure_min, machine.mean_repair_min)
            for machine in settings.machines
            if machine.mean_time_to_failure_min is not None
        }
        rework = {
            machine.name: Rework(machine.rework_probability, machine.rework_min)
            for machine in settings.machines
            if machine.rework_probability
        }
        return cls(breakdowns, settings.duration_cv, rework)


CALM = Disruptions({})


def _check_probability(value: float, what: str) -> None:
    if not 0 <= value <= 1:
        raise InputError(f"{what}: probability = {value:g}: expected a number from 0 to 1")


@dataclass(frozen=True)
class Luck:
    """The draws of one replication; with `whole`, times are rounded up to whole minutes, as planners count them."""

    disruptions: Disruptions
    streams: Streams
    whole: bool = False

    def rounded(self, minutes: float) -> float:
        """At least one whole minute, where whole minutes are counted."""
        return float(max(1, math.ceil(minutes - 1e-9))) if self.whole else minutes

    def factors(self, job: str, count: int) -> list[float]:
        """Real over planned duration for each of the job's operations."""
        cv = self.disruptions.duration_cv
        if cv == 0:
            return [1.0] * count
        drawn = Distribution(kind="lognormal", mean=1.0, cv=cv).sample(self.streams.generator(job, "duration"), count)
        return [float(factor) for factor in guarded(drawn, f"job {job}: duration")]

    def inspections(self, job: str, count: int) -> list[float]:
        """A uniform number for each of the job's operations, the same on whichever machine it runs."""
        if not self.disruptions.rework:
            return [1.0] * count
        return [float(u) for u in self.streams.generator(job, "inspection").random(count)]

    def reworked(self, minutes: float, machine: str, inspection: float) -> float:
        """Working time with all that a failed inspection adds."""
        rework = self.disruptions.rework.get(machine)
        if rework is None or rework.probability == 0 or inspection >= rework.probability:
            return minutes
        if rework.minutes is not None:
            return minutes + rework.minutes
        # P(at least n failures) = probability ** n, inverted at the inspection's uniform number.
        return minutes * (1 + int(math.log(inspection or math.ulp(0.0)) / math.log(rework.probability)))

    def arrivals(self, material: Material) -> list[float]:
        """When each delivery really comes, in the order of the planned times."""
        planned = sorted(material.deliveries)
        late = self.disruptions.deliveries.get(material.name)
        if late is None or not planned:
            return [float(time) for time, _ in planned]
        rng = self.streams.generator(material.name, "delivery")
        draws, delays = rng.random(len(planned)), rng.exponential(late.mean_delay_min, len(planned))
        return [
            time + (self.rounded(float(delay)) if draw < late.probability else 0.0)
            for (time, _), draw, delay in zip(planned, draws, delays, strict=True)
        ]

    def deliveries(self, material: Material) -> list[tuple[float, int]]:
        """When how much really comes, in order of time."""
        quantities = [quantity for _, quantity in sorted(material.deliveries)]
        return sorted(zip(self.arrivals(material), quantities, strict=True))

    def breakdowns(self, machine: str) -> Iterator[tuple[float, float]]:
        """(fails, is up again) of a machine, one after the other; they come by the calendar, whatever it does."""
        means = self.disruptions.breakdowns.get(machine)
        if means is None:
            return
        failure, repair = (self._durations(machine, name, mean) for name, mean in zip(PURPOSES, means, strict=True))
        up_at = 0.0
        while True:
            fails_at = up_at + self.rounded(failure())
            up_at = fails_at + self.rounded(repair())
            yield fails_at, up_at

    def _durations(self, machine: str, purpose: str, mean: float) -> Callable[[], float]:
        return durations(Distribution(kind="exponential", mean=mean), self.streams, machine, purpose)


PURPOSES = ("failure", "repair")
