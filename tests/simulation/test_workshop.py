"""Everything a line can need at once: orders, people, vehicles, materials, batches and assemblies."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import fixed, log_of
from twinloop import simulation as sim
from twinloop.simulation.events.intervals import queue_levels
from twinloop.simulation.events.log import (
    DELIVER,
    DOWN,
    ENTER,
    JOIN,
    RUNNING,
    SCRAP,
    SHIP,
    STARVED,
)

MINUTES = 300.0


@pytest.fixture(scope="module")
def workshop() -> sim.Line:
    return sim.Line.from_yaml(Path(__file__).parents[2] / "conf/factory/line/workshop.yaml")


def trolleys() -> sim.Line:
    """The workshop's essence in code."""
    return sim.Line(
        name="trolleys",
        source=sim.Source(
            variants=(
                sim.Variant(name="frame", route=("welding", "assembly")),
                sim.Variant(name="wheel", route=("turning", "assembly")),
            ),
            orders=(
                sim.Order(name="frames", variant="frame", quantity=3, due_min=60),
                sim.Order(name="wheels", variant="wheel", quantity=6),
            ),
        ),
        stations=(
            sim.Station(name="welding", cycle=fixed(12.0), materials={"tube": 3.5}),
            sim.Station(name="turning", cycle=fixed(4.0)),
            sim.Station(name="assembly", cycle=fixed(10.0), assembles={"frame": 1, "wheel": 2}),
        ),
        materials=(sim.Material(name="tube", initial=7.0, reorder_at=4, order_quantity=7, lead_time=fixed(30)),),
        operators=(sim.Operators(name="fitter", skills=("welding", "assembly")),),
        transport=sim.Transport(fleet=1, trip=fixed(2.0)),
    )


def test_a_line_of_few_lines_of_code_runs_as_computed_by_hand():
    log = log_of(trolleys(), minutes=100.0)
    # Frames are welded 0–12 and 12–24. The tube for the third, ordered at 0, is there at 30, but the fitter assembles
    # 24–34 (the first kit was complete at 14), then welds until 46, and assembles 46–56 and 56–66.
    assert log.time[log.event == SHIP].tolist() == [34.0, 56.0, 66.0]
    table = log.orders(trolleys())
    assert table["completed_min"].to_list() == [66.0, 56.0]
    assert table["tardiness_min"].to_list() == [6.0, None]


def test_a_workshop_from_yaml_makes_its_orders(workshop):
    log = log_of(workshop, minutes=3 * workshop.minutes_per_day)
    table = log.orders(workshop)
    assert table["completed_min"].null_count() == 0
    made = table.filter(pl.col("variant") == "frame")
    assert (made["shipped"] + made["scrapped"]).to_list() == [12, 8]
    assert table.filter(pl.col("variant") == "wheel")["joined"].to_list() == [24, 16]
    stocks = {row["material"]: row for row in log.stocks(workshop).rows(named=True)}
    assert stocks["tube"]["used"] == pytest.approx(20 * 3.5)
    assert stocks["paint"]["level"] == pytest.approx(10 - 20 * 0.4)
    assert log.utilisation(workshop)["busy_min"].min() > 0


def test_its_key_figures_count_neither_trips_nor_joined_parts_as_rework(workshop):
    source = replace(workshop.source, orders=(), interarrival=fixed(6.0), plan="levelled")
    plenty = tuple(replace(material, initial=1e5) for material in workshop.materials)
    line = replace(workshop, source=source, materials=plenty, operators=()).with_(
        {
            "source.variants.wheel.share": 2.0,
            "inspection.assumed.defect_rate": 0.0,
            "inspection.assumed.false_reject_rate": 0.0,
        }
    )
    result = line.run(days=3, replications=2)
    assert result["rework_share"].mean == 0.0
    # A trolley needs three parts, one of which comes every six minutes.
    assert result["throughput_per_day"].mean == pytest.approx(960 / 18, rel=0.03)


def test_a_larger_fleet_or_crew_is_a_scenario_like_any_other(workshop):
    changed = workshop.with_(
        {"transport.fleet": 3, "operators.welder.count": {"add": 1}, "materials.tube.initial": 70.0}
    )
    assert (changed.transport.fleet, changed.operators[0].count, changed.materials[0].initial) == (3, 3, 70.0)


@st.composite
def lines(draw):
    """Serial lines, often with an assembly, a batch, people, vehicles and material, in any combination.

    Before an assembly nobody overtakes: out of turn, parts can lock each other out.
    """
    means = st.floats(0.5, 3.0).map(lambda mean: sim.Distribution(kind="exponential", mean=mean))
    assembles = draw(st.booleans())
    batch = draw(st.integers(1, 3))
    waits = draw(st.none() | st.floats(0.0, 10.0)) if batch > 1 else None
    uses = draw(st.sampled_from([{}, {"steel": 0.7}, {"steel": 1.0, "glue": 0.1}]))
    clock = draw(st.sampled_from(["operation", "calendar"]))
    failing = {"failure": fixed(40.0), "failure_clock": clock, "repair": fixed(4.0)} if draw(st.booleans()) else {}
    stations = (
        sim.Station(name="saw", cycle=draw(means), servers=1 if assembles else 2, materials=uses, **failing),
        sim.Station(name="oven", cycle=draw(means), batch=batch, batch_wait_min=waits),
        sim.Station(name="join", cycle=draw(means), assembles={"frame": 1, "wheel": 2} if assembles else {}, **failing),
        sim.Station(name="camera", cycle=fixed(0.5), inspects=True),
    )
    names = ["saw", "oven", "join", "camera", "rework"]
    shifts = draw(st.sampled_from([(), (sim.Shift(start_min=10, end_min=90),)]))
    groups = draw(st.lists(st.sets(st.sampled_from(names), min_size=1), max_size=2))
    lead = draw(means)
    arrivals = draw(st.none() | means)
    return sim.Line(
        minutes_per_day=100.0,
        source=sim.Source(
            interarrival=arrivals,
            plan="levelled",
            variants=(sim.Variant(name="frame"), sim.Variant(name="wheel", share=2.0, cycle_factor=0.5)),
        ),
        stations=stations,
        buffers=(draw(st.integers(batch, 4)), draw(st.integers(0, 3)), draw(st.integers(0, 3))),
        inspection=sim.Inspection(assumed=sim.AssumedRates(defect_rate=0.2)),
        rework=draw(st.none() | st.builds(sim.Rework, cycle=means)),
        materials=tuple(
            sim.Material(name=name, initial=3.0, reorder_at=2.0, order_quantity=4.0, lead_time=lead) for name in uses
        ),
        operators=tuple(
            sim.Operators(name=f"group{number}", count=number + 1, skills=tuple(sorted(skills)), shifts=shifts)
            for number, skills in enumerate(groups)
            if "rework" not in skills
        ),
        transport=draw(
            st.none() | st.builds(sim.Transport, fleet=st.integers(1, 3), trip=st.floats(0.5, 3.0).map(fixed))
        ),
    )


@settings(max_examples=40, deadline=None)
@given(lines(), st.integers(0, 1000))
def test_every_part_leaves_once_and_every_assembly_has_its_parts(line, seed):
    log = log_of(line, minutes=MINUTES, seed=seed)
    entered = log.part[log.event == ENTER]
    variant = log.value[log.event == ENTER]
    left = log.part[np.isin(log.event, (SHIP, SCRAP, JOIN))]
    assert np.array_equal(entered, np.arange(len(entered)))
    assert len(np.unique(left)) == len(left)
    room = sum(line.buffers) + sum(station.servers * 3 for station in line.stations)
    room += line.transport.fleet if line.transport else 0
    room += line.rework.buffer + line.rework.servers if line.rework else 0
    if line.saturated:
        assert len(entered) - len(left) <= room
    joins = log.event == JOIN
    assert (variant[log.part[joins]] == 1).all()
    assert set(Counter(log.value[joins].tolist()).values()) <= {2}
    if line.stations[2].assembles:
        finished = log.part[np.isin(log.event, (SHIP, SCRAP))]
        assert (variant[finished] == 0).all()
        assert np.isin(finished, log.value[joins]).all()


@settings(max_examples=40, deadline=None)
@given(lines(), st.integers(0, 1000))
def test_stocks_and_queues_keep_their_bounds(line, seed):
    log = log_of(line, minutes=MINUTES, seed=seed)
    for entity, name in enumerate(log.entities):
        changes = (log.entity == entity) & (log.event == DELIVER)
        assert changes.any() == (name in {material.name for material in line.materials})
        assert (np.cumsum(log.value[changes]) > -1e-9).all()
    levels = queue_levels(log.frame())
    capacity = dict(zip(("oven", "join", "camera"), line.buffers, strict=True))
    for name, room in capacity.items():
        assert levels.filter(pl.col("entity") == name)["level"].max() in (None, *range(room + 1))
    assert (levels["level"] >= 0).all()


@settings(max_examples=40, deadline=None)
@given(lines(), st.integers(0, 1000))
def test_people_and_vehicles_do_one_thing_at_a_time_and_time_adds_up(line, seed):
    log = log_of(line, minutes=MINUTES, seed=seed)
    assert np.allclose(log.time_in_states()[1:].sum(axis=1), MINUTES)
    people = [entity for entity, name in enumerate(log.entities) if name.startswith("group")]
    skills = {skill for group in line.operators for skill in group.skills}
    served = [entity for entity, name in enumerate(log.entities) if name.rpartition("_")[0] in skills or name in skills]
    minutes = log.time_in_states()
    # Whoever is at a machine stays there during its breakdowns, so busy minutes are at least those of work.
    busy = minutes[people, RUNNING - STARVED].sum()
    work = minutes[served, RUNNING - STARVED].sum()
    assert work <= busy + 1e-6 <= work + minutes[served, DOWN - STARVED].sum() + 1e-5


@settings(max_examples=25, deadline=None)
@given(lines(), st.integers(0, 1000))
def test_the_same_seed_gives_the_same_log(line, seed):
    first, again = (log_of(line, minutes=MINUTES, seed=seed) for _ in range(2))
    assert first.frame().equals(again.frame())
