"""Which machine holds up the line at each moment: the active period method.

A machine is active while it works, is set up, repaired or maintained, and not while it waits for parts, for room or
for people. Of all machines active at a moment, the one with the longest uninterrupted active period is the bottleneck
of that moment. Where the periods of two successive bottlenecks overlap, the bottleneck shifts between both; the rest
of its time a bottleneck is the sole one (Roser, Nakano and Tanaka, Shifting bottleneck detection, WSC 2002).
"""

from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from twinloop.simulation.events.intervals import state_intervals

ACTIVE = ("running", "setup", "down", "warning", "maintenance")
SOLE, SHIFTING = "sole", "shifting"


@dataclass(frozen=True)
class _Period:
    entity: str
    start: float
    end: float

    @property
    def length(self) -> float:
        return self.end - self.start


def bottlenecks(events: pl.DataFrame, *, horizon: float, start: float = 0.0) -> pl.DataFrame:
    """Which machine is the bottleneck when, between minute `start` and `horizon`: entity, kind, start_min, end_min.

    kind is "sole", or "shifting" for both machines while the bottleneck passes from one to the other. `events` is the
    log as a frame. Of equally long periods the one that began earlier counts, then the first by name.
    """
    momentary = _momentary(_active_periods(events, horizon))
    overlaps: list[list[tuple[float, float]]] = [[] for _ in momentary]
    for place in range(len(momentary) - 1):
        (one, _, until), (other, since, _) = momentary[place], momentary[place + 1]
        both = (max(one.start, other.start), min(one.end, other.end))
        if until == since and both[0] < both[1]:
            overlaps[place].append(both)
            overlaps[place + 1].append(both)
    rows: list[tuple[str, str, float, float]] = []
    shifting: dict[str, list[tuple[float, float]]] = {}
    for (period, since, until), shared in zip(momentary, overlaps, strict=True):
        rows += [(period.entity, SOLE, low, high) for low, high in _without(since, until, shared)]
        shifting.setdefault(period.entity, []).extend(shared)
    for entity, spans in shifting.items():
        rows += [(entity, SHIFTING, low, high) for low, high in _union(spans)]
    schema = {"entity": pl.String, "kind": pl.String, "start_min": pl.Float64, "end_min": pl.Float64}
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(pl.col("start_min").clip(lower_bound=start))
        .filter(pl.col("end_min") > pl.col("start_min"))
        .sort("start_min", "end_min", "entity")
    )


def bottleneck_shares(periods: pl.DataFrame, *, horizon: float, start: float = 0.0) -> pl.DataFrame:
    """Share of the time in which each machine is the sole or the shifting bottleneck: entity, sole, shifting.

    `periods` comes from `bottlenecks`; the machine with the largest sum is first, those that never are one are missing.
    """
    minutes = (pl.col("end_min") - pl.col("start_min")) / (horizon - start)
    return (
        periods.group_by("entity")
        .agg(
            sole=minutes.filter(pl.col("kind") == SOLE).sum(),
            shifting=minutes.filter(pl.col("kind") == SHIFTING).sum(),
        )
        .sort(pl.col("sole") + pl.col("shifting"), "entity", descending=[True, False])
    )


def _active_periods(events: pl.DataFrame, horizon: float) -> list[_Period]:
    """Stays in active states that follow each other without a wait are one period."""
    stays = state_intervals(events, horizon=horizon).filter(pl.col("state").is_in(ACTIVE))
    periods: list[_Period] = []
    for entity, low, high in stays.select("entity", "start_min", "end_min").iter_rows():
        if periods and periods[-1].entity == entity and periods[-1].end == low:
            periods[-1] = _Period(entity, periods[-1].start, high)
        else:
            periods.append(_Period(entity, low, high))
    return periods


def _momentary(periods: list[_Period]) -> list[tuple[_Period, float, float]]:
    """The longest period at each moment, with the time in which it is that; nothing while nobody is active."""
    opening = sorted(range(len(periods)), key=lambda k: periods[k].start)
    moments = sorted({time for period in periods for time in (period.start, period.end)})
    active: dict[str, int] = {}
    longest_periods: list[tuple[_Period, float, float]] = []
    waiting = 0
    for since, until in pairwise(moments):
        active = {entity: k for entity, k in active.items() if periods[k].end > since}
        while waiting < len(opening) and periods[opening[waiting]].start <= since:
            active[periods[opening[waiting]].entity] = opening[waiting]
            waiting += 1
        if not active:
            continue
        longest = periods[min(active.values(), key=lambda k: (-periods[k].length, periods[k].start, k))]
        if longest_periods and longest_periods[-1][0] is longest and longest_periods[-1][2] == since:
            longest_periods[-1] = (longest, longest_periods[-1][1], until)
        else:
            longest_periods.append((longest, since, until))
    return longest_periods


def _without(low: float, high: float, holes: list[tuple[float, float]]) -> list[tuple[float, float]]:
    left = []
    for since, until in sorted(holes):
        if since > low:
            left.append((low, min(since, high)))
        low = max(low, until)
    return [*left, (low, high)] if low < high else left


def _union(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for low, high in sorted(set(spans)):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
