import numpy as np
import polars as pl
import pytest

from twinloop.errors import InputError
from twinloop.prognostics.demand import DemandSettings, forecast_demand
from twinloop.prognostics.demand.forecast import FORECAST

NAIVE = DemandSettings(method="last value", horizon=2)


def history(weeks: int = 20, *, first: int = 0) -> pl.DataFrame:
    """Of a mechanic who is asked for 100, 200, 100 … minutes, and a painter whom nobody asks."""
    week = np.arange(first, first + weeks)
    mechanic = pl.DataFrame({"week": week, "minutes": 100.0 + 100 * (week % 2)}).select(
        pl.lit("mechanic").alias("skill"), "week", "minutes"
    )
    return pl.concat([mechanic, mechanic.with_columns(skill=pl.lit("painter"), minutes=pl.lit(0.0))])


def test_every_skill_gets_its_quantiles_for_every_week_ahead() -> None:
    told = forecast_demand(history(), NAIVE)
    assert dict(told.frame.schema) == FORECAST
    assert told.frame.select("skill", "week", "median", "naive").rows() == [
        ("mechanic", 20, 200, 200),
        ("mechanic", 21, 200, 200),
        ("painter", 20, 0, 0),
        ("painter", 21, 0, 0),
    ]
    mechanic = told.frame.filter(skill="mechanic")
    assert mechanic["high"].to_list() == pytest.approx([200 + 128.1552, 200 + 128.1552 * np.sqrt(2)], rel=1e-5)
    assert told.frame.filter(skill="painter")["high"].to_list() == [0, 0]
    assert (told.skills, told.first_week) == (("mechanic", "painter"), 20)


def test_a_history_may_begin_with_any_week() -> None:
    assert forecast_demand(history(first=7), NAIVE).first_week == 27


def test_the_reserve_is_the_share_of_minutes_that_the_quantile_takes() -> None:
    told = forecast_demand(history(), NAIVE)
    assert told.reserve({"mechanic": 1000.0, "painter": 50.0}, quantile="median") == {"mechanic": 0.2, "painter": 0}
    high = told.frame.filter(skill="mechanic")["high"].mean()
    assert told.reserve({"mechanic": 1000.0})["mechanic"] == pytest.approx(high / 1000)  # type: ignore[operator]
    assert told.reserve({"mechanic": 10.0}) == {"mechanic": 0.95}


def test_the_reserve_of_what_is_not_known_is_refused() -> None:
    told = forecast_demand(history(), NAIVE)
    with pytest.raises(InputError, match="skill: unknown name 'mechanik'; did you mean 'mechanic'"):
        told.reserve({"mechanik": 1000.0})
    with pytest.raises(InputError, match="painter: expected minutes a week above 0, got 0"):
        told.reserve({"painter": 0})
    with pytest.raises(InputError, match="quantile: unknown name 'median_'"):
        told.reserve({"mechanic": 1.0}, quantile="median_")


@pytest.mark.parametrize(
    ("demand", "message"),
    [
        (history(0), "expected a history of some weeks, got none"),
        (history(1), "expected a history of at least 12 weeks, got 1"),
        (history(11), "expected a history of at least 12 weeks, got 11"),
        (history().filter(pl.col("week") != 5), None),
        (pl.concat([history(), history().head(1)]), "mechanic: expected each of 20 weeks once, got 21 rows of 20"),
        (history().slice(1), "mechanic: expected each of 20 weeks once, got 19 rows of 19"),
        (history().with_columns(minutes=-1.0), "week 0: expected minutes of at least 0, got -1"),
        (history().with_columns(minutes=float("nan")), "expected minutes of at least 0, got nan"),
        (history().with_columns(minutes=pl.lit(None, pl.Float64)), "expected minutes of at least 0, got None"),
    ],
)
def test_a_history_that_cannot_be_continued_is_refused(demand: pl.DataFrame, message: str | None) -> None:
    with pytest.raises(InputError, match=message or "expected each of 20 weeks once, got 19 rows"):
        forecast_demand(demand, NAIVE)
