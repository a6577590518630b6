import polars as pl
import pytest

from twinloop.errors import InputError
from twinloop.prognostics.demand import Work, jobs_of_stays, weekly
from twinloop.prognostics.demand.history import JOBS, MINUTES_PER_WEEK

WORK = {"brakes": Work("mechanic", 90), "battery": Work("electrician", 60)}
STAYS = pl.DataFrame(
    {
        "roadside": [True, False, False],
        "arrived_min": [100.0, 11_000.0, 11_500.0],
        "components": [["brakes"], ["battery", "brakes"], []],
    },
    schema_overrides={"components": pl.List(pl.String)},
)


def test_every_component_of_a_stay_is_a_job_of_its_skill() -> None:
    jobs = jobs_of_stays(STAYS, WORK)
    assert dict(jobs.schema) == JOBS
    assert jobs.rows() == [("mechanic", 100, 90), ("electrician", 11_000, 60), ("mechanic", 11_000, 90)]
    assert jobs_of_stays(STAYS, WORK, roadside=True).rows() == [("mechanic", 100, 90)]
    assert len(jobs_of_stays(STAYS, WORK, roadside=False)) == 2


def test_weeks_are_whole_and_those_without_work_are_there() -> None:
    demand = weekly(jobs_of_stays(STAYS, WORK), skills=["mechanic", "electrician"], until_min=3.9 * MINUTES_PER_WEEK)
    assert demand.filter(skill="mechanic").select("week", "jobs", "minutes").rows() == [
        (0, 1, 90),
        (1, 1, 90),
        (2, 0, 0),
    ]
    assert demand.filter(skill="electrician")["minutes"].to_list() == [0, 60, 0]


def test_a_job_of_the_week_that_is_not_over_is_left_out() -> None:
    demand = weekly(jobs_of_stays(STAYS, WORK), skills=["mechanic", "electrician"], until_min=1.99 * MINUTES_PER_WEEK)
    assert demand["minutes"].to_list() == [0, 90]


def test_a_workshop_that_nobody_came_to_has_weeks_of_nothing() -> None:
    demand = weekly(jobs_of_stays(STAYS.head(0), WORK), skills=["mechanic"], until_min=2 * MINUTES_PER_WEEK)
    assert demand.rows() == [("mechanic", 0, 0, 0.0), ("mechanic", 1, 0, 0.0)]


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(InputError, match="component: unknown name 'brakes'"):
        jobs_of_stays(STAYS, {"brake_pads": WORK["brakes"], "battery": WORK["battery"]})
    with pytest.raises(InputError, match="skill: unknown name 'mechanic'; did you mean 'mechanics'"):
        weekly(jobs_of_stays(STAYS, WORK), skills=["mechanics", "electrician"], until_min=1e6)
    with pytest.raises(InputError, match="at least one week, got 6.0 days"):
        weekly(jobs_of_stays(STAYS, WORK), skills=["mechanic"], until_min=6 * 1440)
    for days in (float("nan"), float("inf"), -3.0):
        with pytest.raises(InputError, match="at least one week"):
            weekly(jobs_of_stays(STAYS, WORK), skills=["mechanic"], until_min=days * 1440)
    for time in (None, float("nan")):
        jobs = pl.DataFrame([("mechanic", time, 90.0)], schema=JOBS, orient="row")
        with pytest.raises(
            InputError, match="expected of every job when and how many minutes, got {'skill': 'mechanic'"
        ):
            weekly(jobs, skills=["mechanic"], until_min=1e6)
