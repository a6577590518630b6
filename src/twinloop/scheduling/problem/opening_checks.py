"""Do hours make sense, and does every operation and set-up fit into an opening at all? Mistakes are named."""

from collections.abc import Iterable, Sequence

from twinloop.errors import InputError
from twinloop.scheduling.problem.calendar import Closures, OpenTime
from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.hours import NEVER, Hours, machine_hours
from twinloop.scheduling.problem.jobs import Operation
from twinloop.scheduling.problem.reduction import skill_pools
from twinloop.scheduling.problem.resources import Window


def check_whole(value: object, least: int, what: str) -> None:
    """A whole number from `least` to the largest time."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole and least <= value <= NEVER):  # type: ignore[operator]
        raise InputError(f"{what} = {value!r}: expected a whole number from {least} to {NEVER}")


def check_hours(shop: ShopData) -> None:
    """Raise InputError for hours of a machine or pool that are none, and for set-ups of what is not there."""
    for field in ("closed", "calendars", "repeat", "stops", "overtime", "changeovers"):
        for machine in getattr(shop, field):
            if machine not in shop.machines:
                raise InputError(f"{field}: unknown machine {machine!r}; known: {', '.join(sorted(shop.machines))}")
    clocks: dict[tuple[object, int], str] = {}
    for where, hours in [
        *((f"machine {machine}", machine_hours(shop, machine)) for machine in shop.machines),
        *((f"pool {pool.name}", Hours.of_pool(pool)) for pool in shop.pools),
    ]:
        _check(hours, where)
        if hours.calendar is not None:
            clocks.setdefault((hours.calendar.zero, hours.calendar.unit_s), where)
    if len(clocks) > 1:
        (one, _), (other, _) = list(clocks)[:2]
        first, second = list(clocks.values())[:2]
        raise InputError(
            f"calendars of {first} and {second}: time 0 is {one} and {other}: give all the same start and unit"
        )
    pools = {pool.name for pool in shop.pools}
    skilled = {pool.name for pool in skill_pools(shop.operators)}
    for machine, changeover in shop.changeovers.items():
        if changeover.crew is not None and changeover.crew not in pools:
            known = ", ".join(sorted(pools)) or "none"
            raise InputError(f"changeovers of {machine}: unknown pool {changeover.crew!r}; known: {known}")
        if changeover.crew is not None and changeover.crew in skilled:
            raise InputError(
                f"changeovers of {machine}: the crew {changeover.crew!r} are operators with skills, who cannot be told "
                "apart in set-ups: name a pool of its own"
            )


def _check(hours: Hours, where: str) -> None:
    for kind, windows in (("closed", hours.closed), ("stop", hours.stops), ("overtime", hours.overtime)):
        _check_windows(windows, kind, where)
    if hours.repeat is not None:
        check_whole(hours.repeat, 1, f"{where}: repeat")
        last = max((window.end for window in hours.closed), default=0)
        if not hours.closed or last > hours.repeat:
            raise InputError(
                f"{where}: repeat = {hours.repeat}: expected closed windows within this period, got "
                f"{'none' if not hours.closed else f'one until {last}'}"
            )
        if hours.calendar is not None:
            raise InputError(f"{where}: has a calendar, which repeats, and repeat = {hours.repeat}: keep one of them")
    if hours.calendar is not None:
        hours.calendar.check(where)


def _check_windows(windows: Sequence[Window], kind: str, where: str) -> None:
    name = "an overtime window" if kind == "overtime" else f"a {kind} window"
    for window in windows:
        check_whole(window.start, 0, f"{where}: start of {name}")
        check_whole(window.end, 1, f"{where}: end of {name}")
        if window.end <= window.start:
            raise InputError(f"{where}: {kind} window {window.start} … {window.end}: expected its end after its start")
    for before, after in zip(sorted(windows), sorted(windows)[1:], strict=False):
        if after.start < before.end and kind != "stop":
            raise InputError(
                f"{where}: {kind} windows {before.start} … {before.end} and {after.start} … {after.end} overlap: "
                "join them"
            )


def check_openings(shop: ShopData) -> None:
    """Raise InputError for an operation that fits into no opening of any machine that can do it, and for set-ups."""
    closures, frozen = Closures(shop), {(a.job, a.operation) for a in shop.frozen}
    pools = {pool.name: Hours.of_pool(pool) for pool in shop.pools}
    fitting: set[tuple[int, int]] = set()
    for job in shop.jobs:
        for number, operation in enumerate(job.operations):
            if (job.name, number) in frozen:
                continue
            misfits: list[tuple[str, int, OpenTime]] = []
            for mode in operation.modes:
                both = closures.of(operation, mode.machine)
                needed = operation.unbroken(mode.duration)
                if both.always or (id(both), needed) in fitting or _fits(both, mode.duration, needed):
                    fitting.add((id(both), needed))
                    break
                misfits.append((mode.machine, needed, both))
            else:
                raise InputError(_misfit(shop, f"job {job.name} operation {number}", operation, misfits, pools))
    for machine, times in shop.setups.items():
        hours = closures.of_set_up(machine)
        for (before, after), time in times.items():
            if time and not hours.always and hours.first(0, time) >= NEVER:
                raise InputError(
                    f"set-up on {machine} from {before} to {after}: {time} fit no opening, the longest is "
                    f"{hours.longest()}: shorten it, or let it run unattended in closed time (changeovers)"
                )


def ended(shop: ShopData) -> str:
    """Which hours end, and what to do about it, in words; empty where none do."""
    return _ended(
        [
            *((f"machine {machine}", machine_hours(shop, machine)) for machine in shop.machines),
            *((f"pool {pool.name}", Hours.of_pool(pool)) for pool in shop.pools),
        ]
    )


def _fits(both: OpenTime, duration: int, needed: int) -> bool:
    start = both.first(0, duration, least=needed)
    return start < NEVER and (needed >= duration or both.done(start, duration, least=needed) < NEVER)


def _misfit(
    shop: ShopData,
    where: str,
    operation: Operation,
    misfits: Sequence[tuple[str, int, OpenTime]],
    pools: dict[str, Hours],
) -> str:
    machine, needed, both = misfits[0]
    also = [name for name in operation.pools if not pools[name].always]
    opened = f"{machine}{''.join(f' and {name}' for name in also)}"
    others = f" (nor of {', '.join(name for name, _, _ in misfits[1:])})" if len(misfits) > 1 else ""
    ended = _ended([(f"machine {machine}", machine_hours(shop, machine)), *((f"pool {n}", pools[n]) for n in also)])
    if both.first(0, needed) < NEVER and both.period:
        return (
            f"{where}: begins on {opened}{others}, but never ends: no opening that comes again is as long as its "
            f"least_run {operation.least_run}: shorten it"
        )
    if both.first(0, needed) < NEVER:
        room = both.between(0, NEVER)
        return f"{where}: only {room} of open time are left of {opened}{others}, too little for its work: {ended}"
    work = "unbroken work" if not operation.resumable else "work before a pause"
    remedy = ended or ("let it pause (resumable)" if not operation.resumable else "shorten its least_run")
    return f"{where}: {needed} of {work} fit no opening of {opened}{others}, the longest is {both.longest()}: {remedy}"


def _ended(named: Iterable[tuple[str, Hours]]) -> str:
    for name, hours in named:
        if hours.ends is not None and hours.ends < NEVER:
            return (
                f"the closed windows of {name} end at {hours.ends}, and it counts as closed behind: let them repeat, "
                "give a calendar, or name them as stops"
            )
    return ""
