"""How shops and solutions look in a notebook: plain tables and a small chart, every text escaped."""

from html import escape

from twinloop.html import table
from twinloop.numbers import count, percent
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.solution import Solution

MOST_JOBS = 10
STATUS = {
    "optimal": "optimal: no plan is better",
    "feasible": "feasible: a better plan may exist",
    "infeasible": "infeasible: no plan exists",
    "no plan": "no plan was found, which proves nothing",
}


def solution_face(solution: Solution) -> str:
    """What was found, how good it could be, and the plan."""
    rows = [("status", STATUS[solution.status])]
    if solution.values is not None and solution.gap is not None:
        rows.append(("objective", ", then ".join(count(value) for value in solution.values)))
        rows.append(("proved bound", f"{count(solution.bound)} (at most {percent(solution.gap)} to gain)"))
    if solution.trace:
        found = len(solution.trace)
        rows.append(("last found after", f"{solution.trace[-1].wall_s:.2f} s, as number {found} of the search"))
    if solution.reason:
        rows.append(("reason", solution.reason))
    face = table(solution.method, ("", "solution"), rows)
    return face if solution.plan is None else face + solution.plan._repr_html_()


def shop_face(shop: JobShop) -> str:
    """Machines with their work, the first jobs, and everything that limits plans."""
    return _machines(shop) + _jobs(shop) + _limits(shop)


def _machines(shop: JobShop) -> str:
    able, alone, work = (dict.fromkeys(shop.machines, 0) for _ in range(3))
    for job in shop.jobs:
        for operation in job.operations:
            for mode in operation.modes:
                able[mode.machine] += 1
            if not operation.alternatives:
                alone[operation.machine] += 1
                work[operation.machine] += operation.duration
    operations = sum(len(job.operations) for job in shop.jobs)
    caption = f"{count(len(shop.jobs))} jobs, {count(operations)} operations, {count(len(shop.machines))} machines"
    rows = [(name, count(able[name]), count(alone[name]), count(work[name])) for name in shop.machines]
    return table(caption, ("", "operations it can do", "only it can do", "time these take"), rows)


def _jobs(shop: JobShop) -> str:
    rows = [
        (
            job.name,
            count(len(job.operations)),
            count(job.work),
            count(job.release),
            "–" if job.due is None else count(job.due) + (", firm" if job.firm else ""),
            count(job.weight),
            ", ".join(job.after),
        )
        for job in shop.jobs[:MOST_JOBS]
    ]
    caption = "Jobs" if len(shop.jobs) <= MOST_JOBS else f"The first {MOST_JOBS} of {count(len(shop.jobs))} jobs"
    return table(caption, ("", "operations", "least work", "release", "due", "weight", "after"), rows)


def _limits(shop: JobShop) -> str:
    waiting = sum(operation.no_wait for job in shop.jobs for operation in job.operations)
    lines = [
        *(f"{name} is closed {_windows(len(windows))}" for name, windows in shop.closed.items() if windows),
        *(f"{name} needs set-ups between {_pairs(len(times))} of families" for name, times in shop.setups.items()),
        *(f"pool {pool.name}: {pool.capacity}, away {_windows(len(pool.closed))}" for pool in shop.pools),
        *(f"material {m.name}: {count(m.initial)} in stock, {len(m.deliveries)} deliveries" for m in shop.materials),
    ]
    lines += [f"transport takes time on {_pairs(len(shop.transport))} of machines"] if shop.transport else []
    lines += [f"operations that follow without waiting: {count(waiting)}"] if waiting else []
    lines += [f"frozen operations: {count(len(shop.frozen))}"] if shop.frozen else []
    if not lines:
        return "<p>Machines, routes and dates are all that limits plans.</p>"
    return "<p>What else limits plans:</p><ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _windows(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number} times")


def _pairs(number: int) -> str:
    return "one pair" if number == 1 else f"{number} pairs"
