from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.figures.drawn import LINES, LONG, SERIAL, branching, shop, station
from twinloop.simulation import Line, Rework
from twinloop.simulation.figures.layout import EXIT, SCRAP, SOURCE, Box, Layout, layout


def plan_of(line: Line, **more: int) -> Layout:
    names = [one.name for one in line.stations] + ([line.rework.name] if line.rework else [])
    return layout(line, heights=dict.fromkeys(names, 52.0), **more)


def apart(one: Box, other: Box) -> bool:
    return one.right <= other.x or other.right <= one.x or one.bottom <= other.y or other.bottom <= one.y


def check(line: Line, plan: Layout) -> None:
    """Nothing lies upon another, everything is within the paper, and what runs around corners crosses no box."""
    boxes = [*plan.boxes.values(), *plan.queues.values()]
    assert all(apart(one, other) for one, other in combinations(boxes, 2))
    assert all(box.x >= 0 and box.y >= 0 and box.right <= plan.width and box.bottom <= plan.height for box in boxes)
    assert {one.name for one in line.stations} <= set(plan.boxes)
    assert {one.name for one in line.stations} <= set(plan.queues)
    for link in plan.links:
        assert all(0 <= x <= plan.width and 0 <= y <= plan.height for x, y in link.points)
        if len(link.points) > 2:
            for (x, y), (to_x, to_y) in pairwise(link.points):
                stretch = Box(min(x, to_x), min(y, to_y), abs(to_x - x), abs(to_y - y))
                assert all(apart(stretch, box) for box in boxes), (link.start, link.end)


@pytest.mark.parametrize("name", LINES)
def test_nothing_lies_upon_another(name):
    check(LINES[name], plan_of(LINES[name]))


@settings(max_examples=40, deadline=None)
@given(
    stations=st.integers(1, 20),
    in_a_row=st.integers(1, 8),
    inspecting=st.integers(0, 19),
    back=st.integers(0, 19),
)
def test_serial_lines_of_any_length_fit(stations, in_a_row, inspecting, back):
    inspecting = min(inspecting, stations - 1)
    line = Line(
        stations=tuple(station(f"s{k}", inspects=k == inspecting) for k in range(stations)),
        buffers=(2,) * (stations - 1),
        rework=Rework(cycle=station("x").cycle, returns_to=f"s{min(back, inspecting)}"),
    )
    plan = plan_of(line, in_a_row=in_a_row)
    check(line, plan)
    assert len({box.y for name, box in plan.boxes.items() if name.startswith("s")}) == -(-stations // in_a_row)


@settings(max_examples=40, deadline=None)
@given(machines=st.integers(1, 8), variants=st.integers(1, 8))
def test_shops_fit_and_only_dense_ones_lose_their_arrows(machines, variants):
    plan = plan_of(shop(machines, variants))
    check(shop(machines, variants), plan)
    assert bool(plan.links) != plan.dense


def test_a_serial_line_reads_from_left_to_right_in_even_rows():
    plan = plan_of(LONG)
    rows = {}
    for one in LONG.stations:
        rows.setdefault(plan.boxes[one.name].y, []).append(plan.boxes[one.name].x)
    assert [len(row) for row in rows.values()] == [6, 6, 4]
    assert all(row == sorted(row) for row in rows.values())


def test_every_way_is_an_arrow_and_branches_know_their_share():
    plan = plan_of(branching())
    shares = {(link.start, link.end): link.share for link in plan.links}
    assert shares[SOURCE, "one"] is None
    assert shares["one", "two"] == 0.6
    assert shares["three", "three"] == 0.2
    assert shares["four", EXIT] == pytest.approx(0.75)
    assert len(shares) == 12


def test_rework_and_scrap_hang_below_the_inspection():
    plan = plan_of(SERIAL)
    kinds = {(link.start, link.end): link.kind for link in plan.links}
    assert kinds["camera", "rework"] == kinds["camera", SCRAP] == "rejected"
    assert kinds["rework", "mill"] == "rework"
    assert plan.boxes["rework"].y > plan.boxes["camera"].bottom
