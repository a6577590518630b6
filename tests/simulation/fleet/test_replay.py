"""The replay of a fleet: states and risks from tables, in motion without scripts."""

import math
from xml.etree import ElementTree

import polars as pl
import pytest

from twinloop.errors import InputError
from twinloop.simulation.fleet.replay import FAILED, RISKS, STAYS, WORKSHOP, fleet_replay

HOSTILE = "<script>alert(1)</script>"
DAY = 1440.0
STORY = pl.DataFrame(
    [("VEH001", 3 * DAY, 5 * DAY, FAILED), ("VEH001", 5 * DAY, 6 * DAY, WORKSHOP), (HOSTILE, 8 * DAY, None, WORKSHOP)],
    schema=STAYS,
    orient="row",
)
SEEN = pl.DataFrame(
    [
        (asset, day * DAY, 0.1 * day if asset == "VEH001" else 0.02)
        for asset in ("VEH001", HOSTILE)
        for day in range(10)
    ],
    schema=RISKS,
    orient="row",
)


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter() if one.tag.endswith("}text")]


def test_it_moves_without_scripts_and_requests_and_shows_everything_at_its_end() -> None:
    view = fleet_replay(SEEN, STORY, days=10, title="A week and more")
    for svg in (view.moving, view.still):
        ElementTree.fromstring(svg)
        assert "<script" not in svg
        assert "url(" not in svg
        assert "href" not in svg
    assert 'dur="2.5s"' in view.moving
    assert "animate" not in view.still
    assert view.css_width <= 800
    assert "a day takes 0.25 seconds" in view.__html__()
    assert "2 vehicles over 10 days, 1 time failed; the highest risk is 90\u202f% of VEH001" in view.alt


def test_a_vehicle_has_a_state_and_a_risk_at_every_moment() -> None:
    at_the_end = texts(fleet_replay(SEEN, STORY, days=10, title="x").still)
    assert at_the_end.count("⚒ workshop") == 2, "one lane and the legend: a stay without an end lasts"
    assert "90\u202f%" in at_the_end
    earlier = texts(fleet_replay(SEEN, STORY, days=4, title="x").still)
    assert earlier.count("✖ failed") == 2
    assert "30\u202f%" in earlier


def test_more_vehicles_than_lanes_are_counted() -> None:
    many = pl.DataFrame([(f"V{k:02d}", 0.0, 0.5) for k in range(28)], schema=RISKS, orient="row")
    assert "risk from 0 to 100 %; 3 more vehicles" in texts(fleet_replay(many, STORY.clear(), days=5, title="x").still)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"days": 0}, "days = 0: expected a number above 0"),
        ({"days": math.nan}, "days = nan: expected a number above 0"),
        ({"risks": SEEN.clear()}, "expected the risks of at least one asset, got none"),
        ({"stays": STORY.with_columns(state=pl.lit("gone"))}, "unknown state 'gone'; known: failed, waits, workshop"),
    ],
)
def test_what_cannot_be_replayed_is_refused(change, told) -> None:
    given = {"risks": SEEN, "stays": STORY, "days": 10, **change}
    with pytest.raises(InputError, match=told):
        fleet_replay(given["risks"], given["stays"], days=given["days"], title="x")
