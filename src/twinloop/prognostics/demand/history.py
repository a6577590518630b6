"""What the workshop was asked to do, week by week and skill by skill.

A job is one component's work: its skill and its standard minutes, asked for when the asset arrived. Weeks count from
minute 0 on; a week that is not over is not counted.
"""

import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import polars as pl

from twinloop.errors import InputError, unknown

MINUTES_PER_WEEK = 7 * 1440.0
JOBS: dict[str, Any] = {"skill": pl.String, "time_min": pl.Float64, "minutes": pl.Float64}
DEMAND: dict[str, Any] = {"skill": pl.String, "week": pl.Int64, "jobs": pl.Int64, "minutes": pl.Float64}


class Work(NamedTuple):
    """What renewing a component takes: whose work it is, and its standard minutes."""

    skill: str
    minutes: float


def jobs_of_stays(stays: pl.DataFrame, work: Mapping[str, Work], *, roadside: bool | None = None) -> pl.DataFrame:
    """A row per component of every stay: `JOBS`.

    stays: with arrived_min, roadside, and components, a list. roadside: only stays that began (True) or did not begin
    (False) with a failure on the road, all where None. Raises InputError for a component whose work is not known.
    """
    kept = stays if roadside is None else stays.filter(pl.col("roadside") == roadside)
    rows = kept.select(pl.col("components"), time_min=pl.col("arrived_min").cast(pl.Float64))
    rows = rows.explode("components", empty_as_null=True).drop_nulls("components")
    for name in rows["components"].unique().sort():
        if name not in work:
            raise unknown("demand: component", name, work)
    skill = pl.col("components").replace_strict({name: one.skill for name, one in work.items()}, return_dtype=pl.String)
    minutes = pl.col("components").replace_strict(
        {name: float(one.minutes) for name, one in work.items()}, return_dtype=pl.Float64
    )
    return rows.select(skill.alias("skill"), "time_min", minutes.alias("minutes")).sort("time_min", "skill")


def weekly(jobs: pl.DataFrame, *, skills: Collection[str], until_min: float) -> pl.DataFrame:
    """Jobs and minutes of each skill in each whole week from minute 0 until `until_min`: `DEMAND`, zeros included.

    jobs: as `JOBS`; those before minute 0 are left out. Raises InputError where no week is over, for a job
    without time or minutes, and for one of a skill that is not among `skills`.
    """
    if not until_min >= MINUTES_PER_WEEK or math.isinf(until_min):
        raise InputError(f"demand: expected a history of at least one week, got {until_min / 1440:.1f} days")
    weeks = int(until_min // MINUTES_PER_WEEK)
    broken = jobs.filter(~(pl.col("time_min").is_finite() & (pl.col("minutes") >= 0)).fill_null(value=False))
    if len(broken):
        raise InputError(f"demand: expected of every job when and how many minutes, got {broken.row(0, named=True)}")
    for name in jobs["skill"].unique().sort():
        if name not in skills:
            raise unknown("demand: skill", name, skills)
    grid = pl.DataFrame({"skill": sorted(skills)}, schema={"skill": pl.String}).join(
        pl.DataFrame({"week": range(weeks)}, schema={"week": pl.Int64}), how="cross"
    )
    week = (pl.col("time_min") // MINUTES_PER_WEEK).cast(pl.Int64).alias("week")
    counts = jobs.group_by("skill", week).agg(jobs=pl.len().cast(pl.Int64), minutes=pl.col("minutes").sum())
    return grid.join(counts, on=["skill", "week"], how="left").fill_null(0).sort("skill", "week").select(list(DEMAND))
