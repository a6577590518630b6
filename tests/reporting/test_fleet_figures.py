"""Figures of a fleet: every one can be drawn, says its units, and shows what its tables hold by more than colour."""

import numpy as np
import polars as pl
import pytest

from tests.reporting.pictures import assert_tells, assert_whole
from twinloop.contracts import AlertCurve
from twinloop.numbers import Interval
from twinloop.reporting.figures import fleet, foretelling, workshop

HOSTILE = "<script>alert(1)</script> $x_1$"
CELLS = pl.DataFrame(
    [
        ("VEH001", "water_pump", 0.03, "fine"),
        ("VEH001", "battery", 0.31, "watch"),
        (HOSTILE, "water_pump", 0.82, "act"),
        (HOSTILE, "battery", 0.0, "fine"),
    ],
    schema=["asset", "component", "probability", "status"],
    orient="row",
)
DAYS = np.arange(30.0)
SIGNALS = pl.concat(
    pl.DataFrame({"sensor": name, "day": DAYS, "mean": DAYS, "low": DAYS - 1, "high": DAYS + 1})
    for name in ("coolant_temperature", HOSTILE)
)
UNITS = {"coolant_temperature": "°C", HOSTILE: ""}
SCORES = pl.concat(
    pl.DataFrame({"component": name, "day": DAYS, "probability": p, "low": p / 2, "high": (1 + p) / 2})
    for name, p in (("water_pump", DAYS / 30), ("battery", np.full(30, 0.1)), ("brakes", np.full(30, 0.2)))
)
EVENTS = pl.DataFrame(
    {
        "component": ["water_pump", "battery", "brakes"],
        "kind": ["failure", "maintenance", "maintenance"],
        "day": [28.0, 9.0, 9.0],
    }
)
ANOMALIES = pl.DataFrame(
    {
        "detector": ["isolation_forest"] * 30 + ["rolling"] * 30,
        "day": np.tile(DAYS, 2),
        "score": np.tile(DAYS, 2),
        "limit": [25.0] * 30 + [None] * 30,
        "alarm": np.tile(DAYS > 25, 2),
    }
)
FOUND = pl.DataFrame(
    {
        "asset": ["a", "b", "c"],
        "component": ["water_pump", "water_pump", HOSTILE],
        "day": [10.0, 20.0, 25.0],
        "found": [True, False, False],
        "lead_days": [6.0, None, None],
    }
)
JUDGED = pl.DataFrame(
    [
        (method, component, value, value - 0.1, value + 0.1)
        for method, value in (("forest", 0.6), ("network", 0.4), ("never", 0.2))
        for component in ("water_pump", HOSTILE)
    ],
    schema=["method", "component", "mean", "low", "high"],
    orient="row",
)
SPLITS = JUDGED.with_columns(pl.col("method").replace({"forest": "leaky", "network": "honest"})).filter(
    pl.col("method") != "never"
)
CURVE = pl.DataFrame({"recall": [0.0, 0.5, 1.0], "precision": [1.0, 0.6, 0.2]}).with_columns(
    component=pl.lit("water_pump"), low=pl.col("precision") - 0.2, high=pl.col("precision")
)
BINS = pl.DataFrame(
    {"component": "water_pump", "said": [0.01, 0.2], "happened": [0.0, 0.3], "rows": [50, 50], "low": 0.0, "high": 0.4}
)
FORECAST = pl.DataFrame(
    {
        "skill": ["mechanic"] * 3,
        "week": [0, 1, 2],
        "low": [90.0, 95.0, 95.0],
        "median": [110.0, 115.0, 115.0],
        "high": [130.0, 140.0, 140.0],
        "naive": [100.0, 110.0, 150.0],
        "actual": [110.0, 150.0, None],
    }
)
POLICIES = pl.DataFrame(
    [
        ("joint", 50.0, 48.0, 52.0, 9.0, 7.0, 11.0, 3.0, 2.0, 4.0),
        ("fixed interval", 59.0, 57.0, 61.0, None, None, None, 5.0, 4.0, 6.0),
        ("oracle", 30.0, 29.0, 31.0, 29.0, 27.0, 31.0, 0.0, 0.0, 0.0),
    ],
    schema=["policy"]
    + [f"{kind}{end}" for kind, ends in (("", ("mean", "low", "high")),) for end in ends]
    + [f"{kind}{end}" for kind in ("saved", "failures") for end in ("", "_low", "_high")],
    orient="row",
)
LOAD = pl.DataFrame(
    [
        ("mechanic", 0, 90, 120, 100),
        ("mechanic", 1, 0, 0, 0),
        ("electrician", 0, 70, 60, 60),
        ("electrician", 1, 0, 0, 0),
    ],
    schema=["skill", "day", "booked", "minutes", "bookable"],
    orient="row",
)
VISITS = pl.DataFrame({"asset": ["VEH001", HOSTILE], "bay": ["bay 1", "bay 2"], "start": [420, 480], "end": [480, 900]})


def curve() -> AlertCurve:
    thresholds, recall = np.array([0.1, 0.5, 0.9]), np.array([[0.9, 0.6, 0.0]] * 3)
    return AlertCurve(
        thresholds=thresholds,
        recall=recall,
        lead_levels=np.array([0.0, 0.5, 1.0]),
        lead_hours=np.tile([0.0, 96.0, 240.0], (3, 3, 1)),
        false_alarms=np.array([[2.0, 0.5, 0.1]] * 3),
        failures=10,
        asset_months=40.0,
        threshold=0.5,
        model="m",
        clock="calendar",
    )


FIGURES = {
    "grid": lambda: fleet.fleet_grid(CELLS, notes={"VEH001": "comes on day 2", HOSTILE: HOSTILE}),
    "vehicle": lambda: fleet.vehicle(
        SIGNALS,
        asset=HOSTILE,
        units=UNITS,
        events=EVENTS,
        scores=SCORES,
        followed=("water_pump", "battery"),
        alerts={"water_pump": 0.5},
    ),
    "anomalies": lambda: fleet.anomalies(
        SIGNALS, ANOMALIES, asset="VEH001", units=UNITS, known=((24, 28, "pump failing"),)
    ),
    "precision and recall": lambda: foretelling.precision_recall(
        CURVE, areas={"water_pump": Interval(0.6, 0.5, 0.7)}, rates={"water_pump": 0.1}
    ),
    "calibration": lambda: foretelling.calibration(BINS, errors={"water_pump": Interval(0.04, 0.02, 0.06)}),
    "alerts": lambda: foretelling.alert_curves({"water_pump": curve(), "battery": curve()}, allowed=0.5),
    "found": lambda: foretelling.failures_found(FOUND),
    "methods": lambda: foretelling.methods(JUDGED, label="PR-AUC (share)", title="Methods"),
    "splits": lambda: foretelling.splits(SPLITS, label="PR-AUC (share)"),
    "demand": lambda: workshop.demand(FORECAST),
    "policies": lambda: workshop.policies(POLICIES, unit="€ (a vehicle-day)", failures_unit="(a vehicle-year)"),
    "capacity": lambda: workshop.capacity(LOAD, days=("Mon 2", "Tue 3")),
    "day": lambda: workshop.day_in_bays(
        VISITS, bays=("bay 1", "bay 2"), opens=420, closes=900, title="The fullest day", work={"VEH001": "battery"}
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_can_be_drawn_whole_and_names_its_units(name: str) -> None:
    figure = FIGURES[name]()
    assert_tells(figure)
    assert_whole(figure)
    assert figure.css_width <= 800
    labels = [figure.get_supxlabel(), figure.get_supylabel()]
    labels += [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel(), axes.get_title("left"))]
    assert any("(" in label for label in labels), labels


def written(name: str) -> list[str]:
    return [text.get_text() for axes in FIGURES[name]().axes for text in axes.texts]


def test_a_cell_tells_its_status_by_a_sign_and_not_by_colour_alone() -> None:
    assert {"✖ 82\u202f%", "▲ 31\u202f%", "3\u202f%", "comes on day 2"} <= set(written("grid"))
    assert "alerts: " + HOSTILE + " water pump 82\u202f%" in FIGURES["grid"]().alt


def test_components_served_on_one_day_share_one_label() -> None:
    assert {"◆ battery, brakes", "✖ water pump"} <= set(written("vehicle"))


def test_missed_failures_are_counted_by_component() -> None:
    assert "water pump 1 of 2" in FIGURES["found"]().alt


def test_the_operating_point_is_told_with_what_it_finds_and_costs() -> None:
    told = FIGURES["alerts"]().alt
    assert "water pump from 50\u202f% on: 60\u202f% of 10 failures found, median lead 96.0 h, 0.500 false" in told


def test_a_full_day_a_closed_day_and_one_into_the_reserve_have_signs() -> None:
    assert sorted(written("capacity")) == ["! 117", "90", "×", "×"]
    assert "the fullest is electrician on Mon 2 with 117\u202f%" in FIGURES["capacity"]().alt


def test_only_weeks_that_came_are_held_against_the_band() -> None:
    assert "mechanic: 1 of 2 weeks within the band" in FIGURES["demand"]().alt


def test_the_reference_policy_saves_nothing_against_itself() -> None:
    assert "fixed interval 59.0 (57.0 … 61.0), saved nothing" in FIGURES["policies"]().alt
    assert "joint 50.0 (48.0 … 52.0), saved +9.00 (+7.0 … +11.0)" in FIGURES["policies"]().alt


@pytest.mark.parametrize(
    "figure",
    [
        lambda: fleet.fleet_grid(CELLS.clear()),
        lambda: foretelling.failures_found(FOUND.clear()),
        lambda: foretelling.methods(JUDGED.clear(), label="x (1)", title="Methods"),
        lambda: foretelling.splits(JUDGED, label="x (1)"),
        lambda: foretelling.precision_recall(CURVE.clear(), areas={}, rates={}),
        lambda: foretelling.calibration(BINS.clear()),
        lambda: foretelling.alert_curves({}),
        lambda: workshop.demand(FORECAST.clear()),
        lambda: workshop.policies(POLICIES.clear(), unit="€", failures_unit="a year"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(figure) -> None:
    drawn = figure()
    assert_tells(drawn)
    assert not drawn.axes
