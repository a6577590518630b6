"""A workshop's book: who comes when, what customers say to it, and what a change costs and whom else it moves.

A book never changes: every step gives the next one, so that a change can be looked at before it is made. What was
agreed stays; all else may be moved for less cost, but not for a whim (`stability`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from twinloop.errors import InputError, nearest
from twinloop.scheduling.booking.assignment import fits, room
from twinloop.scheduling.booking.days import DEFAULT_LIMIT, DayPlan, book
from twinloop.scheduling.booking.figures import calendar_face, slots_face
from twinloop.scheduling.booking.slots import Candidate, Task, Workshop
from twinloop.scheduling.question import Limit

MOVED = {"asset": pl.String, "from_day": pl.Int64, "to_day": pl.Int64, "cost": pl.Float64}
OPTIONS = {"day": pl.Int64, "cost": pl.Float64, "moves": pl.Int64}
CALENDAR: dict[str, Any] = {
    "asset": pl.String,
    "day": pl.Int64,
    "status": pl.String,
    "components": pl.List(pl.String),
    "minutes": pl.Int64,
    "saving": pl.Float64,
}
WAITING = {"asset": pl.String, "reason": pl.String, "saving": pl.Float64}
AGREED, PROPOSED, WAITS = "agreed", "proposed", "waiting"


@dataclass(frozen=True, eq=False)
class Change:
    """A step and what it does: the next book, euro that it costs more (below 0: less), and who moves besides.

    moved: `MOVED`, a row per asset whose day changes, a day null for not coming.
    """

    bookings: "Bookings"
    cost: float
    moved: pl.DataFrame


@dataclass(frozen=True, eq=False)
class Slots:
    """The days that one asset may have, with what each would change; selectable where HTML is shown."""

    asset: str
    changes: Mapping[int, Change]
    days: Sequence[str]

    def _repr_html_(self) -> str:
        slots = [
            (
                self.days[day],
                change.cost,
                [_moves(row, self.days) for row in change.moved.iter_rows(named=True) if row["asset"] != self.asset],
            )
            for day, change in self.changes.items()
        ]
        return slots_face(self.asset, slots)


@dataclass(frozen=True, eq=False)
class Bookings:
    """Candidates, the workshop, and the days that were found for them. Make one with `Bookings.of`.

    today: the first day that can still be changed. offers: asset → the day after which a proposal lapses that its
    customer never answered; declined: asset → days that its customer has refused.
    """

    candidates: Mapping[str, Candidate]
    workshop: Workshop
    plan: DayPlan
    today: int = 0
    answer_days: int = 2
    stability: float = 5.0
    offers: Mapping[str, int] = field(default_factory=dict)
    declined: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    limit: Limit = DEFAULT_LIMIT
    seed: int = 1

    @classmethod
    def of(
        cls,
        candidates: Sequence[Candidate],
        workshop: Workshop,
        *,
        answer_days: int = 2,
        stability: float = 5.0,
        limit: Limit = DEFAULT_LIMIT,
        seed: int = 1,
    ) -> "Bookings":
        """A new book on day 0: every visit is a proposal until its customer agrees. Raises InputError (`days.book`)."""
        plan = book(candidates, workshop, limit=limit, seed=seed)
        known = {candidate.asset: candidate for candidate in candidates}
        fresh = cls(known, workshop, plan, 0, answer_days, stability, limit=limit, seed=seed)
        return replace(fresh, offers=fresh._offers({}, {}))

    def move(self, asset: str, *, to: int | None) -> Change:
        """The asset on another day, agreed, or not at all; all others move where that costs least.

        Raises InputError for a day that is past or closed, an unknown asset, and where agreed visits leave no room.
        """
        candidate = self._known(asset)
        if to is None:
            return self._again({asset: replace(candidate, days=(), fixed=None, agreed=None)})
        self._check_day(asset, to)
        return self._again({asset: replace(candidate, fixed=to, agreed=self._components(candidate, to))})

    def choices(self, asset: str) -> dict[int, Change]:
        """What moving the asset to each open day on which its customer can come would do, the cheapest first.

        Days on which agreed visits leave no room are left out. Without any day left (cancelled, all declined) every
        open one can be asked for. Raises InputError for an unknown asset.
        """
        own = self._known(asset).days or range(self.workshop.days)
        changes = {}
        for day in range(self.today, self.workshop.days):
            if self.workshop.bays[day] and day in own and day not in self.declined.get(asset, ()):
                try:
                    change = self.move(asset, to=day)
                except InputError:
                    continue
                changes[day] = change
        return dict(sorted(changes.items(), key=lambda item: (round(item[1].cost, 2), item[0])))

    def options(self, asset: str) -> pl.DataFrame:
        """What every open day would cost more than the present one (`OPTIONS`), cheapest first; moves: of others.

        Raises InputError for an unknown asset.
        """
        rows = [
            (day, change.cost, len(change.moved.filter(pl.col("asset") != asset)))
            for day, change in self.choices(asset).items()
        ]
        return pl.DataFrame(rows, schema=OPTIONS, orient="row")

    def slots(self, asset: str) -> "Slots":
        """The same to choose from, in a notebook: what each day costs, and who else moves.

        Raises InputError for an unknown asset.
        """
        return Slots(asset, self.choices(asset), self.day_names)

    def accept(self, asset: str) -> "Bookings":
        """The customer takes the proposed day: it is agreed. Raises InputError where nothing is proposed."""
        candidate, day = self._proposed(asset)
        agreed = replace(candidate, fixed=day, agreed=self._components(candidate, day))
        offers = {name: until for name, until in self.offers.items() if name != asset}
        return replace(self, candidates={**self.candidates, asset: agreed}, offers=offers)

    def decline(self, asset: str) -> Change:
        """The customer does not take the proposed day; another one is looked for."""
        candidate, day = self._proposed(asset)
        declined = {**self.declined, asset: (*self.declined.get(asset, ()), day)}
        left = tuple(other for other in self._open(candidate) if other not in declined[asset])
        return replace(self, declined=declined)._again({asset: replace(candidate, days=left)})

    def cancel(self, asset: str) -> Change:
        """The visit is off, also an agreed one (a customer who calls, or does not come); its minutes are free again."""
        candidate = self._known(asset)
        if asset not in self.plan.visits:
            raise InputError(f"booking: {asset} has no visit that could be cancelled: it is on the waiting list")
        return self._again({asset: replace(candidate, days=(), fixed=None, agreed=None)})

    def add(self, candidate: Candidate) -> Change:
        """One more asset, for example an emergency with its day `fixed`. Raises InputError for one that has a visit."""
        if candidate.asset in self.plan.visits:
            day = self.plan.visits[candidate.asset][0]
            raise InputError(f"booking: {candidate.asset} is booked already, for day {day}: move or cancel that visit")
        if candidate.fixed is not None:
            self._check_day(candidate.asset, candidate.fixed)
        return self._again({candidate.asset: candidate})

    def changed(self, workshop: Workshop) -> Change:
        """The same book in a workshop that is no longer as it was: somebody absent, parts that come later.

        Agreed visits that do not fit any more are proposals again, the least valuable first.
        """
        if workshop.days != self.workshop.days:
            raise InputError(f"booking: expected a workshop of {self.workshop.days} days, got {workshop.days}")
        agreed = [name for name, candidate in self.candidates.items() if candidate.fixed is not None]
        by_value = sorted(agreed, key=lambda name: (self._saving(name), name))
        freed: dict[str, Candidate] = {}
        while True:
            try:
                return replace(self, workshop=workshop)._again(freed)
            except InputError:
                if not by_value:
                    raise
                name = by_value.pop(0)
                freed[name] = replace(self.candidates[name], fixed=None, agreed=None)

    def advance(self, today: int) -> Change:
        """Another day begins: visits before it are over, and proposals that nobody answered in time are free again."""
        whole = isinstance(today, int) and not isinstance(today, bool)
        if not whole or not self.today <= today < self.workshop.days:
            raise InputError(f"booking: today = {today}: expected a day from {self.today} to {self.workshop.days - 1}")
        kept = {}
        for name, candidate in self.candidates.items():
            visit = self.plan.visits.get(name)
            if visit is not None and visit[0] < today:
                continue
            silent = self.offers.get(name, today) < today
            days = tuple(
                day for day in self._open(candidate) if day >= today and not (silent and visit and day == visit[0])
            )
            kept[name] = candidate if candidate.fixed is not None else replace(candidate, days=days)
        return replace(self, candidates=kept, today=today)._again({})

    def calendar(self) -> pl.DataFrame:
        """Every visit by day (`CALENDAR`): agreed or proposed, what is done, minutes, and euro that it saves."""
        rows = [
            (row["asset"], row["day"], self.status(row["asset"]), row["components"], row["minutes"], row["saving"])
            for row in self.plan.frame.iter_rows(named=True)
            if row["day"] is not None
        ]
        return pl.DataFrame(rows, schema=CALENDAR, orient="row").sort("day", "asset")

    def waiting(self) -> pl.DataFrame:
        """Who would save something by coming but has no day (`WAITING`), and why; the most valuable first."""
        rows = []
        for name, candidate in self.candidates.items():
            if name in self.plan.visits:
                continue
            days = range(self.today, self.workshop.days) if candidate.days is None else candidate.days
            best = max((self._worth(candidate, day) for day in days), default=0.0)
            if not days:
                rows.append((name, "no day is left that its customer takes", best))
            elif best > 0 and not any(self._possible(task, day) for task in candidate.tasks for day in days):
                rows.append((name, "on no day is there as much time as any of its work takes", best))
            elif best > 0:
                rows.append((name, "no room on a day on which it is worth it", best))
        return pl.DataFrame(rows, schema=WAITING, orient="row").sort("saving", "asset", descending=[True, False])

    def load(self) -> pl.DataFrame:
        """Per skill and day: minutes that are booked, there, and bookable (without the reserve)."""
        booked = {(skill, day): 0 for skill in self.workshop.minutes for day in range(self.workshop.days)}
        for name, (day, components) in self.plan.visits.items():
            for task in self.candidates[name].tasks:
                if task.component in components:
                    booked[task.skill, day] += task.minutes
        rows = [
            (skill, day, minutes, self.workshop.minutes[skill][day], self.workshop.bookable(skill)[day])
            for (skill, day), minutes in booked.items()
        ]
        schema = {"skill": pl.String, "day": pl.Int64, "booked": pl.Int64, "minutes": pl.Int64, "bookable": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def day_names(self) -> tuple[str, ...]:
        """[days] how they are called on a page."""
        return tuple(f"day {day}" for day in range(self.workshop.days))

    def _repr_html_(self) -> str:
        return calendar_face(self.calendar(), self.load(), self.waiting(), days=self.day_names)

    def status(self, asset: str) -> str:
        """Agreed, proposed or waiting. Raises InputError for an unknown asset."""
        candidate = self._known(asset)
        if asset not in self.plan.visits:
            return WAITS
        return PROPOSED if candidate.fixed is None else AGREED

    def _again(self, changed: Mapping[str, Candidate]) -> Change:
        """The book with changed candidates, planned again."""
        candidates = {**self.candidates, **changed}
        days = {name: day for name, (day, _) in self.plan.visits.items()}
        plan = book(
            list(candidates.values()),
            self.workshop,
            keep=days,
            stability=self.stability,
            limit=self.limit,
            seed=self.seed,
        )
        after = replace(self, candidates=candidates, plan=plan)
        rows, before = [], dict(self.plan.frame.select("asset", "cost").iter_rows())
        cost_after = dict(plan.frame.select("asset", "cost").iter_rows())
        for name in sorted({*days, *plan.visits}):
            old, new = days.get(name), plan.visits.get(name, (None,))[0]
            if old != new and (old is None or old >= self.today):
                rows.append((name, old, new, cost_after.get(name, 0.0) - before.get(name, 0.0)))
        common = [name for name in cost_after if name in before]
        cost = sum(cost_after[name] for name in common) - sum(before[name] for name in common)
        moved = pl.DataFrame(rows, schema=MOVED, orient="row")
        return Change(replace(after, offers=after._offers(self.offers, days)), cost, moved)

    def _offers(self, known: Mapping[str, int], days: Mapping[str, int]) -> dict[str, int]:
        """When each proposal lapses; one of another day than before is a new one."""
        until = self.today + self.answer_days
        proposed = {name: day for name, (day, _) in self.plan.visits.items() if self.candidates[name].fixed is None}
        return {name: known.get(name, until) if days.get(name) == day else until for name, day in proposed.items()}

    def _open(self, candidate: Candidate) -> list[int]:
        """Days on which its customer can come and the workshop has a bay."""
        return [day for day in candidate.allowed(self.workshop.days) if self.workshop.bays[day]]

    def _known(self, asset: str) -> Candidate:
        if asset not in self.candidates:
            raise InputError(f"booking: unknown asset {asset!r}; {nearest(asset, self.candidates)}")
        return self.candidates[asset]

    def _proposed(self, asset: str) -> tuple[Candidate, int]:
        candidate = self._known(asset)
        if asset not in self.plan.visits or candidate.fixed is not None:
            raise InputError(f"booking: {asset} is {self.status(asset)}: expected one with a proposed day")
        return candidate, self.plan.visits[asset][0]

    def _check_day(self, asset: str, day: int) -> None:
        if isinstance(day, bool) or not isinstance(day, int) or not self.today <= day < self.workshop.days:
            span = f"{self.today} to {self.workshop.days - 1}"
            raise InputError(f"booking: {asset}: day {day!r}: expected one from {span}; earlier ones are past")

    def _components(self, candidate: Candidate, day: int) -> tuple[str, ...]:
        """What is done on that day: what saves most and fits beside agreed visits, at least the most valuable task."""
        visit = self.plan.visits.get(candidate.asset)
        if visit is not None and visit[0] == day:
            return visit[1]
        tasks = sorted(candidate.tasks, key=lambda task: (-task.saving(day), task.component))
        others = [c for c in self.candidates.values() if c.fixed is not None and c.asset != candidate.asset]
        left, chosen = room(others, self.workshop), list[str]()
        for task in tasks:
            if task.saving(day) > 0 and fits(task, day, left):
                chosen.append(task.component)
                left = room([*others, replace(candidate, fixed=day, agreed=tuple(chosen))], self.workshop)
        return tuple(chosen) or (tasks[0].component,)

    def _saving(self, asset: str) -> float:
        return float(self.plan.frame.filter(pl.col("asset") == asset)["saving"].sum())

    def _possible(self, task: Task, day: int) -> bool:
        """Whether the workshop could do this task on the day if nobody else came."""
        return task.minutes <= min(self.workshop.bays[day], self.workshop.bookable(task.skill)[day])

    @staticmethod
    def _worth(candidate: Candidate, day: int) -> float:
        return sum(max(0.0, task.saving(day)) for task in candidate.tasks) - candidate.visit_cost


def _moves(row: Mapping[str, Any], days: Sequence[str]) -> str:
    before, after = ("no visit" if row[name] is None else days[row[name]] for name in ("from_day", "to_day"))
    return f"{row['asset']}: {before} → {after}"
