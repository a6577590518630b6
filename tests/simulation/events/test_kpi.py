import pytest

from tests.simulation.lines import camera_line, curve, exponential, fixed, log_of
from twinloop.errors import RunError
from twinloop.simulation import Economy, Line, Rework, Station
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.events.kpi import KPIS, kpis
from twinloop.simulation.events.log import DOWN, ENTER, RUNNING, SCRAP, SHIP, STARVED, EventLog

PRICES = Economy(
    revenue=10.0,
    material=4.0,
    escape=50.0,
    rework=1.0,
    scrap=2.0,
    reinspection=0.5,
    repair_hour=60.0,
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
        "cost_per_day": 2 * 4 + 2 + 10 + 7 + 5,
        "profit_per_day": 10.0 - 32.0,
    }
    assert {kpi: figures[kpi] for kpi in expected} == pytest.approx(expected)
    assert list(figures) == list(KPIS)


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
