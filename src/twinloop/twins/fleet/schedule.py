"""Book the workshop by the risks of now: days by expected cost, customers' answers, bays on the fullest day, surprises.

A threshold is given nowhere: a visit is worth its day where what is expected without it costs more.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from twinloop.contracts import RiskTable
from twinloop.errors import InputError
from twinloop.files import atomic, write_json
from twinloop.numbers import counted, percent, quantity
from twinloop.prognostics.prepared import Prepared
from twinloop.scheduling.booking.bookings import OPTIONS, PROPOSED, Bookings
from twinloop.scheduling.booking.records import book_record
from twinloop.scheduling.booking.today import Absence, Emergency, Happening, LateParts, NoShow, Overrun, react
from twinloop.scheduling.booking.visits import Day, Garage, Visit, day_plan
from twinloop.scheduling.frames import plan_frame
from twinloop.scheduling.problem.resources import Material
from twinloop.simulation.fleet import Fleet
from twinloop.twins.fleet import book, demand, paths, plan
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet schedule"
REACTIONS: dict[str, Any] = {
    "event": pl.String,
    "what": pl.String,
    "moved": pl.Int64,
    "finished_min": pl.Int64,
    "left": pl.List(pl.String),
}
# Minutes after opening: the morning's delivery, an emergency that comes in, and by how much things are late.
DELIVERY, TOWED, LATE = 60, 90, 60
URGENT = 100


class Answered(NamedTuple):
    """The book when every customer has answered, and how many proposals were declined."""

    bookings: Bookings
    declined: int


def run(stage: Stage[FleetConfig]) -> str:
    """Write calendar, load, waiting list, slots, the fullest day, its surprises and metrics; returns the summary."""
    fleet, seed, out = stage.config.fleet, stage.config.seed, stage.root / paths.SCHEDULE
    prepared, risks = Prepared.load(stage.root / paths.DATASET), RiskTable.load(stage.root / paths.RISKS)
    described = plan.described(fleet, prepared, vehicles=max(1, len(risks.assets)))
    kept = demand.reserve(fleet, prepared, described, first_day=book.first_day(described, risks))
    proposed = book.opened(fleet, prepared, risks, fleet=described, reserve=kept, seed=seed)
    answered = answers(proposed, declines=fleet.booking.declines, seed=seed)
    booked = answered.bookings
    calendar, load = booked.calendar(), booked.load()
    dearest = calendar.sort("saving", "asset", descending=[True, False])["asset"].head(1).to_list()
    slots = booked.options(dearest[0]) if dearest else pl.DataFrame(schema=OPTIONS)
    today = _fullest(booked, described, limit=fleet.booking.visits_limit, seed=seed) if len(calendar) else None
    reactions = pl.DataFrame(list(_reactions(today)) if today else [], schema=REACTIONS, orient="row")
    frames = {
        "calendar": calendar,
        "load": load,
        "waiting": booked.waiting(),
        "slots": slots.with_columns(asset=pl.lit(dearest[0] if dearest else "")),
        "visits": plan_frame(today.day.shop, today.day.plan) if today else pl.DataFrame(),
        "reactions": reactions,
    }
    for name, frame in frames.items():
        with atomic(out / f"{name}.parquet") as temporary:
            frame.write_parquet(temporary)
    about = {
        "first_day": book.first_day(described, risks),
        "fullest_day": today.number if today else None,
        "reserve": kept,
        "assets": sorted(risks.assets),
        "book": book_record(booked),
    }
    write_json(out / "book.json", about)
    measured = _metrics(proposed, answered, load, today)
    write_json(stage.root / paths.metrics("schedule"), measured)
    return (
        f"{counted(measured['visits'], 'visit')} in {booked.workshop.days} days, "
        f"{quantity(measured['expected_saving'], '€')} expected to be saved; gap to the bound "
        f"{percent(measured['gap'])}, {measured['declined']} declined, {measured['waiting']} waiting"
    )


def answers(proposed: Bookings, *, declines: float, seed: int) -> Answered:
    """Customers answer in the order of what their visits save; who declines is asked again, and takes the next day."""
    order = proposed.calendar().sort("saving", "asset", descending=[True, False])["asset"].to_list()
    rng, booked, declined = np.random.default_rng(seed), proposed, 0
    for asset in order:
        refuses = rng.random() < declines
        if booked.status(asset) == PROPOSED and refuses:
            booked, declined = booked.decline(asset).bookings, declined + 1
        if booked.status(asset) == PROPOSED:
            booked = booked.accept(asset)
    return Answered(booked, declined)


@dataclasses.dataclass(frozen=True, eq=False)
class _Today:
    """A day of the book in the garage: its number in the book, who comes, and how it is planned."""

    number: int
    garage: Garage
    visits: list[Visit]
    day: Day
    closes: int


def _fullest(booked: Bookings, fleet: Fleet, *, limit: float, seed: int) -> _Today:
    calendar = booked.calendar()
    busy = calendar.group_by("day").agg(pl.col("minutes").sum()).sort("minutes", "day", descending=[True, False])
    number = int(busy["day"][0])
    bays = fleet.workshop.bays
    closes = booked.workshop.bays[number] // bays
    visits = []
    for asset, components in calendar.filter(pl.col("day") == number).select("asset", "components").iter_rows():
        minutes: dict[str, int] = {}
        for task in booked.candidates[asset].tasks:
            if task.component in components:
                minutes[task.skill] = minutes.get(task.skill, 0) + task.minutes
        # What takes longer than the day is begun, and told as left.
        whole = {skill: min(amount, closes) for skill, amount in minutes.items()}
        visits.append(Visit(asset, whole, 0, closes, parts=dict.fromkeys(components, 1)))
    wanted = [part for visit in visits for part in visit.parts]
    scarce = max(sorted({*wanted}), key=wanted.count)
    garage = Garage(
        bays=tuple(f"bay {place + 1}" for place in range(bays)),
        technicians={
            f"{skill} {place + 1}": (skill,)
            for skill, count in fleet.workshop.technicians.items()
            for place in range(count)
        },
        # What most visits need comes with the morning's delivery; all else lies there.
        parts=(Material(scarce, 0, ((min(DELIVERY, closes), wanted.count(scarce)),)),),
    )
    return _Today(number, garage, visits, day_plan(garage, visits, seed=seed, deterministic=limit), closes)


def _reactions(today: _Today) -> Iterator[tuple[str, str, int, int, list[str]]]:
    """One row per surprise on that day (REACTIONS)."""
    garage, day = today.garage, today.day
    starts = {a.job: (a.start, a.end) for a in day.plan}
    if not starts:
        return
    first = min(starts, key=lambda asset: (starts[asset][0], asset))
    begun = starts[first]
    skill = next(iter(next(visit for visit in today.visits if visit.asset == first).minutes))
    scarce = garage.parts[0]
    delivery = scarce.deliveries[0][0]
    absent = next(name for name, skills in garage.technicians.items() if skill in skills)
    midway = (begun[0] + begun[1]) // 2
    happenings: dict[str, tuple[str, Happening]] = {
        "no-show": (f"{first} does not come", NoShow(0, first)),
        "emergency": (
            f"a vehicle is towed in at minute {TOWED}",
            Emergency(TOWED, Visit("towed", {skill: LATE}, TOWED, max(today.closes, TOWED + LATE), weight=URGENT)),
        ),
        "overrun": (
            f"{first} takes {LATE} minutes more",
            Overrun(midway, first, LATE),
        ),
        "late parts": (
            f"{scarce.name} comes {LATE} minutes late",
            LateParts(0, scarce.name, delivery, delivery + LATE),
        ),
        "technician leaves": (f"{absent} is absent from minute {midway} on", Absence(midway, absent)),
    }
    for event, (what, happening) in happenings.items():
        try:
            yield event, what, *_changed(day, react(garage, day, happening, visits=today.visits))
        except InputError as error:
            yield event, f"{what}: {error}", 0, max(end for _, end in starts.values()), []
    if sum(skill in skills for skills in garage.technicians.values()) > 1:
        after = day_plan(garage.without(absent), today.visits, deterministic=1.0)
        yield "absent technician", f"{absent} is ill all day", *_changed(day, after)


def _changed(before: Day, after: Day) -> tuple[int, int, list[str]]:
    was = {a.job: (a.machine, a.start) for a in before.plan}
    moved = sum(was.get(a.job) not in (None, (a.machine, a.start)) for a in after.plan)
    return moved, max((a.end for a in after.plan), default=0), list(after.left)


def _metrics(proposed: Bookings, answered: Answered, load: pl.DataFrame, today: _Today | None) -> dict[str, Any]:
    booked = answered.bookings
    saving = float(booked.plan.frame["saving"].sum())
    bookable = int(load["bookable"].sum())
    return {
        "candidates": len(booked.candidates),
        "visits": len(booked.plan.visits),
        "declined": answered.declined,
        "waiting": len(booked.waiting()),
        "expected_cost": booked.plan.cost,
        "expected_saving": saving,
        "gap": proposed.plan.gap,
        "utilisation": int(load["booked"].sum()) / bookable if bookable else None,
        "fullest_day_visits": len(today.day.plan) if today else 0,
        "fullest_day_left": len(today.day.left) if today else 0,
    }
