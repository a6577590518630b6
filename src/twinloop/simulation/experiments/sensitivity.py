"""One lever at a time against today: what each gains per day, how sure that is, and what to do first.

Every scenario shares its random numbers with today, so gains are paired differences. The cost of the
lever itself is deducted before anything is ranked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from twinloop.numbers import Interval
from twinloop.replication.side_by_side import TODAY
from twinloop.replication.statistics import paired, paired_ratio
from twinloop.simulation.experiments.design import PROFIT
from twinloop.simulation.experiments.levers import Choices, OperatingPoint, applied, described, expanded
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.settings import ExperimentSettings, Lever

TOGETHER = "all best together"
# Thresholds of the grid lie even in log odds between these.
LOWEST_ODDS, HIGHEST_ODDS = -6.0, 4.0
Runner = Callable[[tuple[Scenario, ...]], dict[str, Result]]


@dataclass(frozen=True, eq=False)
class Gain:
    """What one lever earns per day after its own cost, in euro and as a share of today's profit."""

    lever: Lever
    result: Result
    net: Interval
    relative: Interval | None

    @property
    def pays(self) -> bool:
        """Whether the gain is above zero at the interval's confidence."""
        return self.net.low > 0


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Today, every lever alone (ranked by net gain), the best of each kind together, and profit at each threshold."""

    today: Result
    gains: tuple[Gain, ...]
    together: Gain | None
    thresholds: tuple[tuple[str, OperatingPoint, Result], ...]

    @property
    def results(self) -> tuple[Result, ...]:
        """Scenarios side by side: today, then levers by rank, then all best together."""
        last = (self.together.result,) if self.together else ()
        return (self.today, *(gain.result for gain in self.gains), *last)

    def scenarios_frame(self) -> pl.DataFrame:
        """One row per scenario and key figure, with its interval and the paired change to today.

        Columns scenario, kpi, title, unit, mean, low, high, change, change_low, change_high; costs of levers
        are not in it.
        """
        return pl.concat(
            self.today.compare(result)
            .frame()
            .select("kpi", change="difference", change_low="low", change_high="high")
            .join(result.frame(), on="kpi", maintain_order="left")
            .select(
                pl.lit(result.name).alias("scenario"),
                *("kpi", "title", "unit", "mean", "low", "high", "change", "change_low", "change_high"),
            )
            for result in self.results
        )

    def states_frame(self) -> pl.DataFrame:
        """One row per scenario, entity and state: scenario, entity, state, share of time."""
        return pl.concat(
            result.states.select(pl.lit(result.name).alias("scenario"), "entity", "state", "share")
            for result in self.results
        )

    def frame(self) -> pl.DataFrame:
        """One row per lever, best first, and last all best together (rank null)."""
        rows = [_row(gain, rank) for rank, gain in enumerate(self.gains, start=1)]
        rows += [_row(self.together, None)] if self.together else []
        return pl.DataFrame(rows, schema=SENSITIVITY_SCHEMA, orient="row")

    def threshold_frame(self) -> pl.DataFrame:
        """One row per operating point: kind (grid, today, chosen), accept_below, reject_from, profit with its band.

        The band is that of the paired change against today, laid around today's mean: what it leaves out is common to
        all thresholds and decides nothing. Today's own row has the interval of its mean.
        """
        base = self.today
        rows = []
        for kind, point, result in sorted(self.thresholds, key=lambda row: (row[1].accept_below, row[0])):
            profit = result[PROFIT]
            if kind != TODAY:
                change = paired(result.sample(PROFIT), base.sample(PROFIT), confidence=base.confidence)
                low, high = base[PROFIT].mean + change.low, base[PROFIT].mean + change.high
            else:
                low, high = profit.low, profit.high
            others = [float(result.values(kpi).mean()) for kpi in THRESHOLD_KPIS]
            rows.append((kind, point.accept_below, point.reject_from, profit.mean, low, high, *others))
        columns = ["accept_below", "reject_from", PROFIT, f"{PROFIT}_low", f"{PROFIT}_high", *THRESHOLD_KPIS]
        return pl.DataFrame(rows, schema={"kind": pl.String, **dict.fromkeys(columns, pl.Float64)}, orient="row")


THRESHOLD_KPIS = ("throughput_per_day", "escape_ppm", "rework_share", "scrap_share", "good_scrapped_per_day")
SENSITIVITY_SCHEMA = {
    "rank": pl.Int64,
    "name": pl.String,
    "lever": pl.String,
    "change": pl.String,
    "hypothetical": pl.Boolean,
    "profit_per_day": pl.Float64,
    "cost_per_day": pl.Float64,
    "gain_per_day": pl.Float64,
    "gain_low": pl.Float64,
    "gain_high": pl.Float64,
    "relative_gain": pl.Float64,
    "relative_low": pl.Float64,
    "relative_high": pl.Float64,
    "pays": pl.Boolean,
}


def analyse(
    today: Scenario, settings: ExperimentSettings, choices: Choices, *, run: Runner, today_point: OperatingPoint
) -> Sensitivity:
    """Run today, the levers, a grid of thresholds, and then the best levers together.

    `run` takes scenarios and returns their results by name. `choices.chosen` is marked in the threshold curve.
    """
    today = replace(today, name=TODAY)
    levers = expanded(settings.levers, today.line)
    grid = {f"threshold {value:.4g}": OperatingPoint(value, value) for value in threshold_grid(settings.thresholds)}
    grid["threshold chosen"] = choices.chosen
    results = run(
        (
            today,
            *(applied(lever, today, choices) for lever in levers),
            *(replace(today.at(point.accept_below, point.reject_from), name=name) for name, point in grid.items()),
        )
    )
    gains = tuple(sorted((_gain(lever, results, today) for lever in levers), key=lambda gain: -gain.net.mean))
    best = best_of_each_kind(gains)
    together = None
    if len(best) > 1:
        scenario = today
        for lever in best:
            scenario = applied(lever, scenario, choices)
        combined = Lever(
            name=TOGETHER,
            lever=best[0].lever,
            change={path: change for lever in best for path, change in lever.change.items()},
            cost_per_day=sum(lever.cost_per_day for lever in best),
        )
        results |= run((replace(scenario, name=TOGETHER),))
        together = _gain(combined, results, today)
    kinds = {"threshold chosen": "chosen"}
    points = tuple((kinds.get(name, "grid"), point, results[name]) for name, point in grid.items())
    return Sensitivity(results[TODAY], gains, together, (*points, ("today", today_point, results[TODAY])))


def threshold_grid(count: int) -> list[float]:
    """`count` thresholds, even in log odds from 0.0025 to 0.98."""
    odds = np.linspace(LOWEST_ODDS, HIGHEST_ODDS, count)
    return [float(f"{value:.3g}") for value in 1 / (1 + np.exp(-odds))]


def best_of_each_kind(gains: Iterable[Gain]) -> tuple[Lever, ...]:
    """Of each kind of lever the best that surely pays; what is only hypothetical cannot be done and is left out."""
    best: dict[str, Lever] = {}
    for gain in gains:
        if gain.pays and not gain.lever.hypothetical:
            best.setdefault(gain.lever.lever, gain.lever)
    return tuple(best.values())


def _gain(lever: Lever, results: Mapping[str, Result], today: Scenario) -> Gain:
    result, base = results[lever.name], results[today.name]
    earned, before = result.sample(PROFIT) - lever.cost_per_day, base.sample(PROFIT)
    net = paired(earned, before, confidence=base.confidence)
    relative = paired_ratio(earned, before, confidence=base.confidence)
    return Gain(lever, result, net, relative)


def _row(gain: Gain, rank: int | None) -> tuple[object, ...]:
    lever, net, relative = gain.lever, gain.net, gain.relative
    share = (relative.mean, relative.low, relative.high) if relative else (None, None, None)
    profit = float(gain.result.values(PROFIT).mean())
    kind = TOGETHER if rank is None else lever.lever
    start = (rank, lever.name, kind, described(lever), lever.hypothetical, profit, lever.cost_per_day)
    return (*start, net.mean, net.low, net.high, *share, gain.pays)
