import pytest

from tests.simulation.lines import camera_line, curve, exponential, fixed, log_of
from twinloop.errors import InputError, RunError
from twinloop.simulation import Economy, Line, Operators, Rework, Station
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.events.kpi import KPIS, first_rework, kpis
from twinloop.simulation.events.log import (
    BLOCKED,
    DOWN,
    ENTER,
    IDLE,
    MAINTENANCE,
    REINSPECT,
    REJECT,
    RUNNING,
    SCRAP,
    SETUP,
    SHIP,
    STARVED,
    WARNING,
    EventLog,
)
from twinloop.simulation.model.entities import entities

PRICES = Economy(
    revenue=10.0,
    material=4.0,
    escape=50.0,
    rework=1.0,
    scrap=2.0,
    reinspection=0.5,
    repair_hour=60.0,
    failure=7.5,
    maintenance=34 / 3,
    holding_hour=6.0,
    fixed_day=5.0,
)


def written_log() -> tuple[EventLog, Line]:
    """Two parts of a press in 100 minutes, ten of them broken down: one shipped good, one scrapped."""
    line = Line(minutes_per_day=100.0, stations=(Station(name="press", cycle=fixed(30.0)),))
    log = EventLog(entities=("source", "press"), classes=("good", "crack"), horizon=100.0)
    log.record(0.0, ENTER, 0, 0, 0)
    log.record(0.0, RUNNING, 1, 0)
    log.record(30.0, SHIP, 1, 0, 0)
    log.record(30.0, STARVED, 1)
    log.record(40.0, ENTER, 0, 1, 1)
    log.record(40.0, RUNNING, 1, 1)
    log.record(50.0, DOWN, 1, 1)
    log.record(60.0, RUNNING, 1, 1)
    log.record(80.0, SCRAP, 1, 1, 1)
    log.record(80.0, STARVED, 1)
    return log, line


def test_key_figures_of_a_log_that_was_written_by_hand():
    figures, minutes = kpis(*written_log(), PRICES, start=0.0)
    assert minutes[1][:5].tolist() == [30.0, 60.0, 0.0, 0.0, 10.0]
    expected = {
        "throughput_per_day": 1.0,
        "availability": 0.9,
        "performance": 60 / 90,
        "quality": 0.5,
        "oee": 0.3,
        "wip": 0.7,
        "cycle_time_min": 35.0,
        "first_pass_yield": 0.5,
        "scrap_share": 0.5,
        "escape_ppm": 0.0,
        "down_hours_per_day": 1 / 6,
        "revenue_per_day": 10.0,
        "cost_per_day": 2 * 4 + 2 + 10 + 7.5 + 7 + 5,
        "profit_per_day": 10.0 - 39.5,
    }
    assert {kpi: figures[kpi] for kpi in expected} == pytest.approx(expected)
    assert list(figures) == list(KPIS)


def busy_log() -> tuple[EventLog, Line]:
    """Two days of 50 minutes, after two of warm-up, in which a line does everything: the two presses limit it."""
    line = Line(
        minutes_per_day=50.0,
        stations=(
            Station(name="saw", cycle=fixed(1.0)),
            Station(name="press", cycle=fixed(30.0), servers=2),
            Station(name="camera", cycle=fixed(1.0), inspects=True),
        ),
        buffers=(3, 3),
        rework=Rework(cycle=fixed(2.0), success=0.5, servers=2),
        operators=(Operators(name="anna", skills=("saw",)),),
    )
    saw, press_1, press_2, camera, rework_1, rework_2, anna = range(1, 8)
    log = EventLog(entities=entities(line), classes=("good", "crack"), horizon=200.0)
    good, crack = 0, 1
    for time, event, entity, part, condition in [
        *((90, ENTER, 0, 0, good), (110, SHIP, camera, 0, good)),
        *((95, ENTER, 0, 1, crack), (120, SHIP, camera, 1, crack)),
        *((100, ENTER, 0, 2, good), (112, REJECT, camera, 2, good), (140, SHIP, camera, 2, good)),
        *((105, ENTER, 0, 3, good), (135, SCRAP, camera, 3, good)),
        *((120, ENTER, 0, 4, crack), (160, SCRAP, camera, 4, crack)),
        (150, ENTER, 0, 5, good),
        *((time, REINSPECT, camera, 2, good) for time in (99, 107, 108, 109, 110)),
    ]:
        log.record(float(time), event, entity, part, condition)
    for machine, states in {
        saw: [(0, DOWN), (100, STARVED), (185, DOWN), (190, STARVED), (195, DOWN)],
        press_1: [(90, RUNNING), (140, SETUP), (150, DOWN), (170, MAINTENANCE), (180, STARVED)],
        press_2: [(95, WARNING), (130, BLOCKED), (150, IDLE), (170, RUNNING)],
        camera: [
            (90, MAINTENANCE),
            (100, RUNNING),
            (120, MAINTENANCE),
            (130, STARVED),
            (180, DOWN),
            (180, MAINTENANCE),
        ],
        rework_1: [(98, RUNNING), (99, STARVED), (110, RUNNING), (112, STARVED)],
        rework_2: [(115, RUNNING), (117, STARVED), (150, RUNNING), (152, STARVED)],
        anna: [(0, IDLE), (105, RUNNING), (106, IDLE)],
    }.items():
        for time, event in states:
            log.record(float(time), event, machine)
    return log, line


def test_every_key_figure_of_a_line_that_does_everything_is_that_computed_by_hand():
    figures, _ = kpis(*busy_log(), PRICES, start=100.0)
    assert figures == pytest.approx(
        {
            "profit_per_day": 15.0 - 99.0,
            "throughput_per_day": 3 / 2,
            "oee": 0.8 * 0.625 * 0.4,
            # of 200 press minutes 20 down, 10 set-up, 10 maintenance; 70 running and 30 at work with a warning
            "availability": 0.8,
            "performance": 100 / 160,
            "quality": 2 / 5,
            # in the window the parts are there 10, 20, 40, 30, 40 and 50 minutes
            "wip": 190 / 100,
            "cycle_time_min": (20 + 25 + 40 + 30 + 40) / 5,
            "escape_ppm": 1e6 / 3,
            "escapes_per_day": 0.5,
            "first_pass_yield": 1 / 5,
            "rework_share": 3 / 5,
            "reinspected_share": 4 / 5,
            "scrap_share": 2 / 5,
            "good_scrapped_per_day": 0.5,
            "down_hours_per_day": (20 + 10) / 60 / 2,
            "failures_per_day": 4 / 2,
            "maintenance_hours_per_day": (10 + 10 + 20) / 60 / 2,
            "maintenances_per_day": 3 / 2,
            "revenue_per_day": 30 / 2,
            "cost_per_day": 8 + 25 + 1.5 + 2 + 1 + 15 + 15 + 17 + 9.5 + 5,
            "material_cost_per_day": 4 * 4 / 2,
            "escape_cost_per_day": 50 / 2,
            "rework_cost_per_day": 3 * 1 / 2,
            "scrap_cost_per_day": 2 * 2 / 2,
            "reinspection_cost_per_day": 4 * 0.5 / 2,
            "repair_cost_per_day": 60 * 0.5 / 2,
            "failure_cost_per_day": 4 * 7.5 / 2,
            "maintenance_cost_per_day": 3 * 34 / 3 / 2,
            "holding_cost_per_day": 6 * 190 / 60 / 2,
            "fixed_cost_per_day": 5.0,
        }
    )


def test_a_bottleneck_that_is_never_available_performs_nothing():
    line = Line(minutes_per_day=100.0, stations=(Station(name="press", cycle=fixed(30.0)),))
    log = EventLog(entities=("source", "press"), classes=("good", "crack"), horizon=100.0)
    log.record(0.0, ENTER, 0, 0, 1)
    log.record(0.0, DOWN, 1)
    log.record(30.0, SHIP, 1, 0, 1)
    figures, _ = kpis(log, line, PRICES, start=0.0)
    assert (figures["availability"], figures["performance"], figures["oee"]) == (0.0, 0.0, 0.0)
    assert figures["escape_ppm"] == 1e6  # the only part that was shipped


def test_what_an_operator_does_is_no_rework():
    line = Line(
        minutes_per_day=100.0,
        stations=(Station(name="press", cycle=fixed(30.0)),),
        operators=(Operators(name="anna", skills=("press",)),),
    )
    log = EventLog(entities=("source", "press", "anna"), classes=("good", "crack"), horizon=100.0)
    log.record(0.0, ENTER, 0, 0, 0)
    for machine in (1, 2):
        log.record(0.0, RUNNING, machine, 0)
    log.record(30.0, SHIP, 1, 0, 0)
    assert kpis(log, line, PRICES, start=0.0)[0]["rework_share"] == 0.0


def test_rework_places_come_after_all_stations():
    assert first_rework(busy_log()[1]) == 5
    assert first_rework(written_log()[1]) == 2


def test_a_log_of_another_line_is_refused():
    with pytest.raises(InputError, match=r"the log is of press, line has saw, press_1, press_2"):
        kpis(written_log()[0], busy_log()[1], PRICES, start=0.0)


def test_what_happened_before_the_warm_up_ended_is_not_counted():
    figures, minutes = kpis(*written_log(), PRICES, start=50.0)
    assert minutes[1].sum() == pytest.approx(50.0)
    assert figures["throughput_per_day"] == 0.0
    assert figures["scrap_share"] == 1.0
    assert figures["wip"] == pytest.approx(30 / 50)
    assert figures["cycle_time_min"] == pytest.approx(40.0)


def test_profit_is_revenue_minus_the_costs_shown():
    rework = Rework(cycle=exponential(2.0), success=0.5)
    gate = Gate.of(curve(accept=0.4, reject=0.8))
    line = camera_line(rework=rework)
    figures, _ = kpis(log_of(line, minutes=3000.0, gate=gate), line, PRICES, start=500.0)
    parts = [figures[kpi] for kpi in KPIS if kpi.endswith("_cost_per_day")]
    assert len(parts) == 10
    assert sum(parts) == pytest.approx(figures["cost_per_day"])
    assert figures["profit_per_day"] == pytest.approx(figures["revenue_per_day"] - figures["cost_per_day"])
    assert min(figures["escapes_per_day"], figures["rework_share"], figures["reinspected_share"]) > 0
    assert figures["oee"] == pytest.approx(figures["availability"] * figures["performance"] * figures["quality"])


def test_a_window_in_which_nothing_leaves_the_line_is_an_error():
    log, line = written_log()
    with pytest.raises(RunError, match=r"no part left line in the 0\.15 days after the warm-up"):
        kpis(log, line, PRICES, start=85.0)
