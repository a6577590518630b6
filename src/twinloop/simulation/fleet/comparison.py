"""Maintenance policies of a fleet side by side on the same fleets, between the best fixed interval and the oracle.

The k-th life of a component is the same under every policy, so differences are paired. What sensors can be worth is
measured by a policy that sees the wear itself: the share of visible savings is what a policy saves over the best fixed
intervals, as a share of what that one saves.
"""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Unpack

import polars as pl

from twinloop.errors import InputError, unknown
from twinloop.html import table
from twinloop.numbers import MISSING, Interval, counted, fixed, percent
from twinloop.replication.design import Design, How
from twinloop.replication.experiment import run
from twinloop.replication.kpi import Kpi
from twinloop.replication.result import Comparison, Result
from twinloop.replication.statistics import Sample, interval, paired
from twinloop.replication.system import System
from twinloop.simulation.fleet.experiment import Played, key, kpis_of
from twinloop.simulation.fleet.policies import Alert, FixedInterval, Oracle, Policy, RunToFailure, WearSeen
from twinloop.simulation.fleet.policies.policy import PerComponent
from twinloop.simulation.fleet.record import COST, KPIS
from twinloop.simulation.fleet.tuning import tuned
from twinloop.simulation.fleet.vehicle import Fleet

INTERVAL, FAILURE, WEAR, ORACLE = "fixed interval", "run to failure", "wear seen", "oracle"
ALWAYS = (INTERVAL, FAILURE, WEAR, ORACLE)
SHOWN = {"availability": 4, "failures": 2, "visits": 2}
SHARES = {"visible_share": "Share of visible savings", "gap_saved": "Gap saved to the oracle"}
ENDS = ("", "_low", "_high")


@dataclass(frozen=True, eq=False)
class FleetComparison:
    """Results by policy over the same replications; the best fixed intervals come first.

    policies: as they were compared, with the numbers that were tuned.
    """

    results: Mapping[str, Result]
    policies: Mapping[str, Policy]
    days: int

    def __getitem__(self, policy: str) -> Comparison:
        """What a policy changes against the best fixed intervals. Raises InputError for one that does not exist."""
        if policy not in self.results:
            raise unknown("fleet: policy", policy, self.results)
        return self.results[INTERVAL].compare(self.results[policy])

    def saving(self, policy: str) -> Interval:
        """Euro per vehicle-day that a policy costs less than the best fixed intervals, paired."""
        return paired(self._cost(INTERVAL), self._cost(policy), confidence=self.confidence)

    def visible_share(self, policy: str) -> Interval | None:
        """Its saving over the best fixed intervals as a share of what seeing the wear saves; None without any."""
        return self._share(policy, WEAR)

    def gap_saved(self, policy: str) -> Interval | None:
        """Its saving over the best fixed intervals as a share of the oracle's; None where that saves none."""
        return self._share(policy, ORACLE)

    @property
    def confidence(self) -> float:
        """Of all intervals."""
        return self.results[INTERVAL].confidence

    @property
    def ranking(self) -> tuple[str, ...]:
        """The policies by mean cost, the cheapest first, without those that nobody can follow."""
        costs = {name: float(self._cost(name).values.mean()) for name in self.results if name not in (WEAR, ORACLE)}
        return tuple(sorted(costs, key=lambda name: costs[name]))

    @property
    def sentence(self) -> str:
        """What the cheapest policy is worth, in words."""
        best = self.ranking[0]
        if best == INTERVAL:
            return "No policy is cheaper than the best fixed intervals."
        relative, share = self[best].relative(COST), self.visible_share(best)
        saving = self.saving(best)
        if saving.low <= 0:
            return (
                f"No policy is surely cheaper than the best fixed intervals: {best} saves {fixed(saving.mean, 2)} € "
                f"per vehicle-day ({fixed(saving.low, 2)} … {fixed(saving.high, 2)})."
            )
        less = f" {percent(-relative.mean)}" if relative else ""
        text = f"By {best} a vehicle costs{less} less than by the best fixed intervals"
        ends = f" ({percent(-relative.high)} … {percent(-relative.low)})" if relative else ""
        return f"{text}{ends}" + (f", {percent(share.mean)} of what seeing the wear would save." if share else ".")

    def frame(self) -> pl.DataFrame:
        """One row per policy and key figure: policy, kpi, title, unit, mean, low, high, difference with its ends.

        The differences are those to the best fixed intervals, paired; shares of savings have none.
        """
        rows: list[tuple[object, ...]] = []
        for name in self._order():
            result, change = self.results[name], self[name]
            for figure, kpi in KPIS.items():
                own, against = result[figure], change[figure]
                ends = (own.mean, own.low, own.high, against.mean, against.low, against.high)
                rows.append((name, figure, kpi.title, kpi.unit, *ends))
            for figure, share in zip(SHARES, (self.visible_share(name), self.gap_saved(name)), strict=True):
                values = (share.mean, share.low, share.high) if share else (None, None, None)
                rows.append((name, figure, SHARES[figure], "", *values, None, None, None))
        numbers = ["mean", "low", "high", *(f"difference{end}" for end in ENDS)]
        texts = dict.fromkeys(("policy", "kpi", "title", "unit"), pl.String)
        return pl.DataFrame(rows, schema=texts | dict.fromkeys(numbers, pl.Float64), orient="row")

    def _order(self) -> tuple[str, ...]:
        return (*self.ranking, WEAR, ORACLE)

    def _cost(self, policy: str) -> Sample:
        if policy not in self.results:
            raise unknown("fleet: policy", policy, self.results)
        return self.results[policy].sample(COST)

    def _share(self, policy: str, best: str) -> Interval | None:
        saving, most = self._cost(INTERVAL) - self._cost(policy), self._cost(INTERVAL) - self._cost(best)
        level = float(most.values.mean())
        if level <= 0:
            return None
        share = float(saving.values.mean()) / level
        # Linearised, as any ratio of means is.
        return interval((saving - most * share) * (1 / level) - (-share), confidence=self.confidence)

    def _repr_html_(self) -> str:
        rows = []
        for name in self._order():
            cost, saving = self.results[name][COST], self.saving(name)
            shares = [self.visible_share(name), self.gap_saved(name)]
            rows.append(
                (
                    name,
                    f"{fixed(cost.mean, 2)} ({fixed(cost.low, 2)} … {fixed(cost.high, 2)})",
                    "" if name == INTERVAL else f"{fixed(saving.low, 2)} … {fixed(saving.high, 2)}",
                    *(MISSING if share is None else percent(share.mean, digits=0) for share in shares),
                    *(fixed(self.results[name][kpi].mean, digits) for kpi, digits in SHOWN.items()),
                )
            )
        heads = ("saved against fixed interval", "of visible savings", "of gap to oracle")
        runs = counted(len(self.results[INTERVAL].replications), "replication")
        caption = (
            f"{runs} of {counted(self.days, 'day')}, the same fleets under every policy; {100 * self.confidence:g} % "
            f"intervals, paired. {self.sentence}"
        )
        header = ("", KPIS[COST].heading, *heads, *(KPIS[kpi].heading for kpi in SHOWN))
        return table(caption, header, rows)


def compare_policies(
    fleet: Fleet,
    policies: Mapping[str, Policy] | None = None,
    *,
    days: int = 365,
    warmup_days: int = 60,
    tune: Collection[str] = (),
    tuning_replications: int = 4,
    **how: Unpack[How],
) -> FleetComparison:
    """Policies by name beside the best fixed intervals, run to failure, wear seen and the oracle.

    tune: names of those whose numbers are to be chosen too; an Alert without intervals gets the best ones for what it
    does not watch. Replication r uses draw 1 + r mod draws of what was measured, and again its estimate, so that the
    intervals hold what is not known about it. The keywords are the fields of `Design`.
    Raises InputError for a name that is taken or has no policy, and for a precision: all policies are one system here.
    """
    given, design = dict(policies or {}), Design(**how)
    _check(given, tune, design)
    for policy in given.values():
        policy.check(fleet)
    settings = {
        "days": days,
        "warmup_days": warmup_days,
        "replications": tuning_replications,
        "seed": design.seed,
        "workers": design.workers,
    }
    fixed_interval = tuned(FixedInterval({}), fleet, **settings)
    everything: dict[str, Policy] = {INTERVAL: fixed_interval, FAILURE: RunToFailure()}
    for name, policy in given.items():
        if name in tune and isinstance(policy, PerComponent):
            if isinstance(policy, Alert) and not policy.intervals:
                policy = dataclasses.replace(policy, intervals=fixed_interval.values)
            policy = tuned(policy, fleet, **settings)
        everything[name] = policy
    everything |= {WEAR: tuned(WearSeen({}), fleet, **settings), ORACLE: Oracle()}
    played = Played(fleet, everything, days, warmup_days, design.seed, drawn=True)
    measured = any(policy.draws for policy in everything.values())
    system = System(fleet.name, played, dataclasses.replace(played, drawn=False) if measured else None)
    together = run([system], design, kpis_of(everything))[fleet.name]
    results = {name: _result(together, name, design, bool(policy.draws)) for name, policy in everything.items()}
    return FleetComparison(results, everything, days)


def _check(policies: Mapping[str, Policy], tune: Collection[str], design: Design) -> None:
    taken = sorted(set(ALWAYS) & set(policies))
    if taken:
        raise InputError(f"fleet: the policy {taken[0]!r} is always compared: give yours another name")
    for name in tune:
        if not isinstance(policies.get(name), PerComponent):
            raise InputError(f"fleet: tune names {name!r}: expected a policy of one number per component")
    if design.precision is not None:
        raise InputError(
            "Design.precision: expected None, as the policies of a fleet run together: ask for replications"
        )


def _result(together: Result, policy: str, design: Design, drawn: bool) -> Result:
    """The part of the common table that is one policy's."""

    def part(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.select("replication", *(pl.col(key(policy, kpi)).alias(kpi) for kpi in KPIS))

    kpis: Mapping[str, Kpi] = KPIS
    estimate = part(together.estimate) if drawn and together.estimate is not None else None
    return Result(policy, design, kpis, part(together.replications), estimate, None)
