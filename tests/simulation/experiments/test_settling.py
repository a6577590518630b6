"""Whether a line settles: what is said of those that never do, and how often the test errs."""

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.simulation.lines import PERFECT, exponential, fixed, queue, serial_line
from twinloop.errors import InputError, RunError
from twinloop.simulation import Line, Order, Source, Station, Variant
from twinloop.simulation.experiments.answer import sentence
from twinloop.simulation.experiments.levers import Choices, Model, OperatingPoint
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.sensitivity import analyse
from twinloop.simulation.experiments.settings import ExperimentSettings, Lever, Scale

SEEDS = 40
POINT = OperatingPoint(0.5, 0.5)


@pytest.mark.parametrize(
    ("load", "replications", "most_alarms", "most_misses"),
    [(0.8, 10, 0.02, None), (0.95, 10, 0.02, None), (0.95, 60, 0.02, None), (1.05, 10, None, 0.1), (1.1, 5, None, 0.1)],
)
def test_a_loaded_queue_is_rarely_called_growing_and_an_overloaded_one_nearly_always(
    load, replications, most_alarms, most_misses
):
    line = queue(arrivals=load)
    alarms = sum(
        not line.run(days=4, warmup_days=1, replications=replications, seed=seed).settles for seed in range(SEEDS)
    )
    print(f"load {load}, {replications} replications of 5 days: {alarms} of {SEEDS} said to grow")
    if most_alarms is not None:
        assert binomtest(alarms, SEEDS, most_alarms, alternative="greater").pvalue > 1e-3
    if most_misses is not None:
        assert binomtest(SEEDS - alarms, SEEDS, most_misses, alternative="greater").pvalue > 1e-3


def test_a_line_that_never_settles_says_so_instead_of_giving_a_mean():
    result = queue(arrivals=1.2).run(days=4, replications=5)
    assert not result.settles
    assert result.growth.late > 1.5 * result.growth.early
    for kpi in ("wip", "cycle_time_min", "holding_cost_per_day"):
        with pytest.raises(RunError, match=r"no mean of .*, as queue never settles: it holds \d+ on average") as caught:
            result[kpi]
        assert len(str(caught.value)) <= 300
    assert result["throughput_per_day"].mean == pytest.approx(1000, rel=0.05)
    frame = {row["kpi"]: row for row in result.frame().iter_rows(named=True)}
    assert frame["wip"]["mean"] is frame["wip"]["low"] is None
    assert frame["throughput_per_day"]["mean"] is not None
    face = result._repr_html_()
    assert face.startswith("<p><strong>queue never settles: ")
    assert "– parts</td>" in face
    assert ">–</td>" in face


def test_a_comparison_with_a_line_that_never_settles_has_no_difference_of_levels():
    sides = queue(arrivals=0.7).compare({"crowd": {"source.interarrival.mean": 0.8}}, days=4, replications=5)
    assert "crowd never settles" in sides._repr_html_()
    row = sides.frame("wip").row(1, named=True)
    assert row["mean"] is row["change"] is row["p"] is None
    assert row["sure"] is False
    with pytest.raises(RunError, match="no mean of work in progress, as crowd never settles"):
        sides["crowd"]["wip"]
    with pytest.raises(RunError, match="no mean of cycle time"):
        sides.best("cycle_time_min", smallest=True)
    assert sides["crowd"]["throughput_per_day"].mean > 0
    assert "crowd never settles" in sides["crowd"]._repr_html_()


def test_the_answer_says_that_today_never_settles():
    how = {"days": 4.0, "warmup_days": 0.5, "replications": 5}
    lever = Lever(name="less", lever="plan", change={"source.interarrival.mean": Scale(scale=2.0)})
    settings = ExperimentSettings(thresholds=3, levers=(lever,))
    line = queue(arrivals=1.3)
    model = Model(line.inspection.assumed.curve())

    def run(scenarios):
        from twinloop.simulation.experiments.experiment import run_scenarios

        return run_scenarios(scenarios, **how)

    found = analyse(
        Scenario("today", line, model.curve), settings, Choices({"fp32": model}, POINT), run=run, today_point=POINT
    )
    said = sentence(found, today=POINT, chosen=POINT)
    assert said.startswith("Today's line never settles (from ")
    assert "so what is earned holds for the 4 simulated days only. " in said


def test_the_warm_up_of_a_line_that_never_settles_is_refused():
    with pytest.raises(InputError, match="warm-up: queue never settles in 4 days: it holds"):
        queue(arrivals=1.2).warm_up(days=4, replications=5)


def test_a_precision_of_a_mean_that_does_not_exist_is_never_reached():
    result = queue(arrivals=1.2).run(days=2, replications=5, precision=0.5, precision_of="wip", max_replications=10)
    assert result.reached is False
    assert len(result.replications) == 10


@pytest.mark.parametrize("cycle", [fixed(1.0), fixed(2.0)], ids=["at capacity", "half of it"])
def test_a_line_without_luck_is_stable_up_to_its_capacity(cycle):
    line = queue(arrivals=0.5).with_({"source.interarrival": vars(fixed(2.0)), "stations.1.cycle": vars(cycle)})
    assert line.run(days=1, replications=2).settles


def test_what_cannot_grow_is_not_said_to():
    assert not serial_line(3, buffer=2).can_grow
    assert queue(arrivals=0.5).can_grow
    filling = serial_line(40, buffer=30).run(days=0.1, warmup_days=0, replications=3)
    assert filling.settles
    assert filling["wip"].mean > 10
    route = (Variant(name="a", route=("saw", "pack")),)
    stations = (Station(name="saw", cycle=exponential(1.0)), Station(name="pack", cycle=exponential(2.0)))
    heap = Line(source=Source(variants=route), stations=stations, inspection=PERFECT)
    assert heap.can_grow
    assert not heap.run(days=2, replications=4).settles


def book(quantity: int) -> Line:
    return Line(
        name="book",
        minutes_per_day=1000.0,
        source=Source(orders=(Order(name="all", variant="part", quantity=quantity),)),
        stations=(Station(name="press", cycle=fixed(2.0)),),
        inspection=PERFECT,
    )


@pytest.mark.parametrize(("days", "warmup_days"), [(10.0, 1.0), (2.001, 0.0), (40.0, 3.0)])
def test_an_order_book_is_measured_from_its_start_to_its_end(days, warmup_days):
    result = book(1000).run(days=days, warmup_days=warmup_days, replications=2)
    assert result["throughput_per_day"].mean == pytest.approx(500.0, rel=1e-12)
    assert result["performance"].mean == pytest.approx(1.0)
    assert result["wip"].mean == pytest.approx(500.5)
    assert result["fixed_cost_per_day"].mean == pytest.approx(2000.0)
    assert result.warning == ""
    assert "an order book from start to end" in result.caption()


def test_an_order_book_that_is_not_finished_says_so():
    result = book(1000).run(days=1.5, replications=3)
    assert result.unfinished == 3
    assert "has not finished its orders within 1.5 days in 3 of 3 replications" in result._repr_html_()
    assert result["throughput_per_day"].mean == pytest.approx(500.0, rel=2e-3)
    with pytest.raises(InputError, match="makes an order book, which has a start and an end: it needs no warm-up"):
        book(10).warm_up(days=1)


def test_no_interval_promises_what_cannot_be():
    line = serial_line(2, buffer=1, failure=300.0, repair=200.0)
    sides = line.compare({"more": {"buffer_1": 9}}, days=0.6, warmup_days=0, replications=3, seed=4)
    result = sides.today
    kpis = result.kpis
    raw = {kpi: np.array(result.values(kpi)) for kpi in kpis}
    wide = [kpi for kpi in kpis if raw[kpi].mean() - 4.3 * raw[kpi].std(ddof=1) / 3**0.5 < kpis[kpi].least]
    assert {"availability", "failures_per_day"} & set(wide)
    rows = list(result.frame().iter_rows(named=True)) + [
        row | {"kpi": kpi} for kpi in kpis for row in sides.frame(kpi).iter_rows(named=True)
    ]
    for row in rows:
        assert kpis[row["kpi"]].least <= row["low"] <= row["mean"] <= row["high"] <= kpis[row["kpi"]].most
    for row in sides["more"].frame().iter_rows(named=True):
        assert row["high"] - row["low"] >= 0
        if kpis[row["kpi"]].most == 1:
            assert -1 <= row["low"] <= row["high"] <= 1
    relative = sides["more"].relative("failures_per_day")
    assert relative is None or relative.low >= -1
