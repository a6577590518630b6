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


def test_the_emphasised_row_can_be_pulled_however_well_a_hypothetical_one_would_pay() -> None:
    row = {"rank": 1, "lever": "model", "change": "", "gain_per_day": 9.0, "gain_low": 5.0, "gain_high": 12.0}
    row |= {"relative_gain": 0.1, "pays": True}
    rows = [row | {"name": "half the errors", "hypothetical": True}, row | {"name": "threshold", "hypothetical": False}]
    point = {"accept_below": 0.05, "reject_from": 0.05}
    answer = {"today": point, "chosen": point}
    assert lever_table(pl.DataFrame(rows), answer=answer, currency="€").emphasis == {1}
    assert lever_table(pl.DataFrame(rows[:1]), answer=answer, currency="€").emphasis == set()
