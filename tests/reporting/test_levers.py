"""What is changed on a line, as a table's cell."""

import polars as pl

from twinloop.reporting.levers import lever_table


def test_a_number_and_its_unit_stay_on_one_line() -> None:
    row = {
        "rank": 1,
        "name": "station 3's repair time",
        "lever": "repair",
        "change": "stations.welding.repair.mean −20 %",
        "hypothetical": False,
        "gain_per_day": 92.0,
        "gain_low": 57.0,
        "gain_high": 127.0,
        "relative_gain": 0.044,
        "pays": True,
    }
    point = {"accept_below": 0.05, "reject_from": 0.05}
    table = lever_table(pl.DataFrame([row]), answer={"today": point, "chosen": point}, currency="€")
    assert table.rows[0][1] == "welding.repair −20\u202f%"
