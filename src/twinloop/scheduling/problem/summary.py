"""A shop in short, for a notebook: machines with their work, jobs, and what else limits plans."""

import polars as pl

from twinloop.numbers import count
from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.hours import Hours, joined, machine_hours

MACHINES = {"machine": pl.String, "able": pl.Int64, "alone": pl.Int64, "work": pl.Int64}
JOBS = {
    "job": pl.String,
    "operations": pl.Int64,
    "work": pl.Int64,
    "release": pl.Int64,
    "due": pl.Int64,
    "firm": pl.Boolean,
    "weight": pl.Int64,
    "after": pl.String,
}


def machines_frame(shop: ShopData) -> pl.DataFrame:
    """One row per machine (`MACHINES`): operations it can do, those that only it can do, and the time these take."""
    able, alone, work = (dict.fromkeys(shop.machines, 0) for _ in range(3))
    for job in shop.jobs:
        for operation in job.operations:
            for mode in operation.modes:
                able[mode.machine] += 1
            if not operation.alternatives:
                alone[operation.machine] += 1
                work[operation.machine] += operation.duration
    rows = [(name, able[name], alone[name], work[name]) for name in shop.machines]
    return pl.DataFrame(rows, schema=MACHINES, orient="row")


def jobs_frame(shop: ShopData) -> pl.DataFrame:
    """One row per job (`JOBS`), times in the shop's units; work is the least it takes."""
    rows = [
        (job.name, len(job.operations), job.work, job.release, job.due, job.firm, job.weight, ", ".join(job.after))
        for job in shop.jobs
    ]
    return pl.DataFrame(rows, schema=JOBS, orient="row")


def limits(shop: ShopData) -> list[str]:
    """What limits plans beside machines, routes and dates, in words."""
    operations = [operation for job in shop.jobs for operation in job.operations]
    waiting = sum(operation.no_wait for operation in operations)
    impatient = sum(operation.max_wait is not None for operation in operations)
    milestones = sum(operation.milestone for operation in operations)
    lines = [
        *(f"{name} {text}" for name in shop.machines if (text := _hours(machine_hours(shop, name)))),
        *(f"{name} needs set-ups between {_pairs(len(times))} of families" for name, times in shop.setups.items()),
        *(f"pool {p.name}: {p.capacity}{', ' * bool(h := _hours(Hours.of_pool(p)))}{h}" for p in shop.pools),
        *(f"material {m.name}: {count(m.initial)} in stock, {len(m.deliveries)} deliveries" for m in shop.materials),
    ]
    lines += [f"transport takes time on {_pairs(len(shop.transport))} of machines"] if shop.transport else []
    lines += [f"operations that follow without waiting: {count(waiting)}"] if waiting else []
    lines += [f"operations with a longest wait: {count(impatient)}"] if impatient else []
    lines += [f"milestones: {count(milestones)}"] if milestones else []
    if shop.optional:
        prices = ", ".join(f"{order} at {count(shop.by_name[order].price or 0)}" for order in shop.optional)
        lines.append(f"jobs that may be left out: {prices}")
    lines += [f"frozen operations: {count(len(shop.frozen))}"] if shop.frozen else []
    return lines


def _hours(hours: Hours) -> str:
    """What is said of a machine's or pool's hours; empty for one that is always open."""
    single = len(hours.stops)
    if hours.calendar is not None:
        count = len(hours.calendar.shifts)
        text = f"works {'one shift' if count == 1 else f'{count} shifts'} by the week"
    elif hours.repeat is not None:
        text = f"is closed {_windows(len(hours.closed))} every {hours.repeat}"
    elif hours.ends is not None:
        text = f"is closed {_windows(len(hours.closed))}, and for good from {joined(hours.closed)[-1].start} on"
    else:
        single += len(hours.closed)
        return f"is closed {_windows(single)}" if single else ""
    return f"{text}, and closed {_windows(single)} besides" if single else text


def _windows(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number} times")


def _pairs(number: int) -> str:
    return "one pair" if number == 1 else f"{number} pairs"
