"""How shops and solutions look in a notebook: plain tables and a small chart, every text escaped."""

from collections.abc import Sequence
from html import escape

import polars as pl

from twinloop.html import table
from twinloop.numbers import count, percent

MOST_JOBS = 10
STATUS = {
    "optimal": "optimal: no plan is better",
    "feasible": "feasible: a better plan may exist",
    "infeasible": "infeasible: no plan exists",
    "no plan": "no plan was found, which proves nothing",
}


def solution_face(
    method: str,
    *,
    status: str,
    values: Sequence[int] | None,
    bound: int,
    gap: float | None,
    incumbents: Sequence[float],
    reason: str,
    chart: str,
) -> str:
    """What was found, how good it could be, and the plan.

    values: one for each level of the goal, None without a plan. gap: share that could at most be gained. incumbents:
    seconds after which each better plan was found. chart: the plan as SVG.
    """
    rows = [("status", STATUS[status])]
    if values is not None and gap is not None:
        rows.append(("objective", ", then ".join(count(value) for value in values)))
        rows.append(("proved bound", f"{count(bound)} (at most {percent(gap)} to gain)"))
    if incumbents:
        rows.append(("last found after", f"{incumbents[-1]:.2f} s, as number {len(incumbents)} of the search"))
    if reason:
        rows.append(("reason", reason))
    return table(method, ("", "solution"), rows) + chart


def shop_face(machines: pl.DataFrame, jobs: pl.DataFrame, limits: Sequence[str]) -> str:
    """Machines with their work and the first jobs (`problem.summary`), and the lines of all else that limits plans."""
    return _machines(machines, jobs) + _jobs(jobs) + _limits(limits)


def _machines(machines: pl.DataFrame, jobs: pl.DataFrame) -> str:
    operations = sum(jobs["operations"])
    caption = f"{count(len(jobs))} jobs, {count(operations)} operations, {count(len(machines))} machines"
    rows = [(name, *(count(value) for value in values)) for name, *values in machines.iter_rows()]
    return table(caption, ("", "operations it can do", "only it can do", "time these take"), rows)


def _jobs(jobs: pl.DataFrame) -> str:
    rows = [
        (
            row["job"],
            count(row["operations"]),
            count(row["work"]),
            count(row["release"]),
            "–" if row["due"] is None else count(row["due"]) + (", firm" if row["firm"] else ""),
            count(row["weight"]),
            row["after"],
        )
        for row in jobs.head(MOST_JOBS).iter_rows(named=True)
    ]
    caption = "Jobs" if len(jobs) <= MOST_JOBS else f"The first {MOST_JOBS} of {count(len(jobs))} jobs"
    return table(caption, ("", "operations", "least work", "release", "due", "weight", "after"), rows)


def _limits(limits: Sequence[str]) -> str:
    if not limits:
        return "<p>Machines, routes and dates are all that limits plans.</p>"
    return "<p>What else limits plans:</p><ul>" + "".join(f"<li>{escape(line)}</li>" for line in limits) + "</ul>"
