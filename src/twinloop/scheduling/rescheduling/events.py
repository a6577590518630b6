"""What happens on a running plan, and the shop as it is afterwards.

Breakdowns close a machine, rush jobs are added, cancelled jobs keep only what has begun, late material arrives later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from twinloop.contracts import Assignment
from twinloop.errors import InputError
from twinloop.scheduling.problem import Job, JobShop, Window
from twinloop.scheduling.problem.calendar import Closures, OpenTime
from twinloop.scheduling.problem.opening_checks import check_whole


@dataclass(frozen=True)
class Breakdown:
    """`machine` stands from `time` on for `repair` time units; what runs on it goes on afterwards."""

    time: int
    machine: str
    repair: int


@dataclass(frozen=True)
class RushJob:
    """A job that nobody had planned comes at `time`."""

    time: int
    job: Job


@dataclass(frozen=True)
class CancelledJob:
    """The job is wanted no more from `time` on; an operation that runs is finished, no other is begun."""

    time: int
    job: str


@dataclass(frozen=True)
class LateMaterial:
    """The delivery of `material` that was due at `expected` comes at `arrives`; known from `time` on."""

    time: int
    material: str
    expected: int
    arrives: int


Event = Breakdown | RushJob | CancelledJob | LateMaterial


def described(event: Event) -> str:
    """One event in words."""
    match event:
        case Breakdown():
            return f"breakdown of {event.machine} at {event.time} for {event.repair}"
        case RushJob():
            return f"rush job {event.job.name} at {event.time}"
        case CancelledJob():
            return f"job {event.job} cancelled at {event.time}"
        case LateMaterial():
            return f"material {event.material} at {event.arrives} instead of {event.expected}"


def after(shop: JobShop, event: Event, *, begun: Sequence[Assignment], now: int) -> JobShop:
    """The shop once the event is known; `begun` are the operations that had started, nothing is frozen yet.

    Raises InputError for an event that names what the shop does not have, lies in the past, or leaves nothing to plan.
    """
    check_whole(event.time, 0, f"event: time of {type(event).__name__}")
    if event.time < now:
        raise InputError(f"event: {described(event)} lies before now, {now}: give it the time at which it is known")
    match event:
        case Breakdown():
            return _broken(shop, event)
        case RushJob():
            return _rushed(shop, event)
        case CancelledJob():
            return _cancelled(shop, event, begun)
        case LateMaterial():
            return _delayed(shop, event, now)


def prolonged(shop: JobShop, begun: Sequence[Assignment], event: Event) -> list[Assignment]:
    """The operations that had started, with the end that the event gives the one on a broken machine."""
    if not isinstance(event, Breakdown):
        return list(begun)
    return [_resumed(shop, a, event) if a.machine == event.machine and a.end > event.time else a for a in begun]


def _resumed(shop: JobShop, a: Assignment, event: Breakdown) -> Assignment:
    """What is interrupted goes on after the repair in open time, and pauses where it must."""
    operation = shop.by_name[a.job].operations[a.operation]
    hours = OpenTime(()) if a in shop.frozen else Closures(shop).of(operation, a.machine)
    least = operation.least_run if operation.resumable and operation.least_run > 1 else 0
    whole = a.end - a.start if a in shop.frozen else operation.on(a.machine)
    left = whole - hours.worked(a.start, event.time, whole, least=least)
    start = hours.first(event.time + event.repair, 0)
    return replace(a, end=int(hours.done(start, left, least=least)))


def _named(name: str, known: Mapping[str, object] | Sequence[str], what: str) -> None:
    if name not in known:
        raise InputError(f"event: {what} {name!r} is not in the shop; known: {', '.join(known) or 'none'}")


def _broken(shop: JobShop, event: Breakdown) -> JobShop:
    _named(event.machine, shop.machines, "machine")
    check_whole(event.repair, 1, f"event: repair of {event.machine}")
    return shop.stopped({event.machine: [Window(event.time, event.time + event.repair)]})


def _rushed(shop: JobShop, event: RushJob) -> JobShop:
    if event.job.name in shop.by_name:
        raise InputError(f"event: rush job {event.job.name!r} is in the shop already: give it a name of its own")
    job = replace(event.job, release=max(event.job.release, event.time))
    return replace(shop, jobs=(*shop.jobs, job))


def _cancelled(shop: JobShop, event: CancelledJob, begun: Sequence[Assignment]) -> JobShop:
    _named(event.job, shop.by_name, "job")
    for lot in [job for job in shop.jobs if job.part_of == event.job]:
        if sum(a.job == lot.name for a in begun) < len(lot.operations):
            shop = _cancelled(shop, replace(event, job=lot.name), begun)
    job = shop.by_name[event.job]
    started = sum(a.job == event.job for a in begun)
    if started == len(job.operations):
        raise InputError(f"event: job {event.job} cannot be cancelled at {event.time}: its last operation has begun")
    if not started and len(shop.jobs) == 1:
        raise InputError(f"event: job {event.job} is the only one: cancelling it leaves nothing to plan")
    # What has begun stays, as it used time and material; nobody waits for the rest.
    rest = replace(job, operations=job.operations[:started], due=None, weight=0, earliness_weight=0, firm=False)
    jobs = [rest if other.name == event.job else other for other in shop.jobs if started or other.name != event.job]
    jobs = [replace(other, after=tuple(name for name in other.after if name != event.job)) for other in jobs]
    return replace(shop, jobs=tuple(jobs))


def _delayed(shop: JobShop, event: LateMaterial, now: int) -> JobShop:
    materials = {material.name: material for material in shop.materials}
    _named(event.material, materials, "material")
    material = materials[event.material]
    at = [time for time, _ in material.deliveries]
    if event.expected not in at or event.expected < now:
        coming = ", ".join(str(time) for time in at if time >= now)
        raise InputError(
            f"event: no delivery of {event.material} at {event.expected} is still to come; known: {coming or 'none'}"
        )
    check_whole(event.arrives, event.expected, f"event: new time of the delivery of {event.material}")
    place = at.index(event.expected)
    deliveries = list(material.deliveries)
    deliveries[place] = (event.arrives, deliveries[place][1])
    moved = replace(material, deliveries=tuple(sorted(deliveries)))
    return replace(shop, materials=tuple(moved if m.name == event.material else m for m in shop.materials))
