"""How a workshop's book looks where many come on one day."""

import polars as pl

from twinloop.scheduling.booking.figures import SHOWN, calendar_face

LOAD = pl.DataFrame({"day": [0, 1], "skill": ["mechanic", "mechanic"], "booked": [480, 0], "bookable": [480, 480]})


def visits(count: int) -> pl.DataFrame:
    rows = [
        {"day": 0, "asset": f"VEH{number:03d}", "components": ["<b>pump</b>"], "minutes": 10, "status": "agreed"}
        for number in range(count)
    ]
    return pl.DataFrame(rows)


def test_a_full_day_shows_its_first_visits_and_unfolds_the_others():
    page = calendar_face(visits(SHOWN + 3), LOAD, pl.DataFrame(), days=("Monday", "Tuesday"))
    seen, folded = page.split("<summary>3 more</summary>")
    assert [f"VEH{number:03d}" in seen for number in range(SHOWN + 3)] == [True] * SHOWN + [False] * 3
    assert all(f"VEH{number:03d}" in folded for number in range(SHOWN, SHOWN + 3))
    assert "<b>pump" not in page


def test_a_quiet_day_folds_nothing():
    page = calendar_face(visits(SHOWN), LOAD, pl.DataFrame(), days=("Monday", "Tuesday"))
    assert "<details>" not in page
    assert f"{SHOWN} visits" in page
