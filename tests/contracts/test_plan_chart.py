import re
from xml.etree import ElementTree

import pytest

from twinloop.contracts import Assignment, Plan

SVG = "{http://www.w3.org/2000/svg}"


class Chart:
    """A chart taken apart: its label, bars by title, machines and ticks by text, each with their places."""

    def __init__(self, plan: Plan) -> None:
        root = ElementTree.fromstring(plan._repr_html_())
        self.label = root.attrib["aria-label"]
        _, _, self.width, self.height = map(float, root.attrib["viewBox"].split())
        self.rects = [dict(rect.attrib) for rect in root.iter(f"{SVG}rect")]
        titles = [rect.findtext(f"{SVG}title") for rect in root.iter(f"{SVG}rect")]
        self.titles = [title for title in titles if title]
        self.bars = {
            title: [float(rect[key]) for key in ("x", "y", "width", "height")]
            for title, rect in zip(titles, self.rects, strict=True)
        }
        self.colours = {title: rect["fill"] for title, rect in zip(titles, self.rects, strict=True)}
        texts = [
            (t.attrib.get("text-anchor"), t.text or "", float(t.attrib["x"]), float(t.attrib["y"]))
            for t in root.iter(f"{SVG}text")
        ]
        self.machines = {text: (x, y) for anchor, text, x, y in texts if anchor == "end"}
        self.ticks = {int(text): x for anchor, text, x, _ in texts if anchor == "middle"}
        self.tick_depths = [y for anchor, _, _, y in texts if anchor == "middle"]
        paths = [re.match(r"M([\d.]+) \d+V(\d+)", path.attrib["d"]) for path in root.iter(f"{SVG}path")]
        self.lines = [float(path[1]) for path in paths if path]
        self.line_ends = [float(path[2]) for path in paths if path]


PLAN = Plan.of(
    [
        Assignment("shaft", 0, "mill", 0, 3),
        Assignment("shaft", 1, "press", 4, 12),
        Assignment("cover", 0, "mill", 3, 4),
    ]
)  # fmt: skip


def test_every_bar_lies_where_the_time_axis_says() -> None:
    chart = Chart(PLAN)
    minute = (chart.ticks[12] - chart.ticks[0]) / 12
    for a in PLAN:
        x, _, width, _ = chart.bars[f"{a.job}, operation {a.operation}: {a.machine} {a.start} … {a.end}"]
        assert x == pytest.approx(chart.ticks[0] + minute * a.start, abs=0.1)
        assert width == pytest.approx(minute * (a.end - a.start), abs=0.1)
    assert chart.lines == list(chart.ticks.values())


def test_bars_stand_beside_the_name_of_their_machine_and_nothing_overlaps_or_sticks_out() -> None:
    chart = Chart(PLAN)
    for title in chart.titles:
        x, y, width, height = chart.bars[title]
        name_x, name_y = chart.machines["press" if "press" in title else "mill"]
        assert name_x < x
        assert y < name_y < y + height
        assert x + width < chart.width
        assert y + height < min(chart.tick_depths) - 12 < chart.height
    upper, lower = (chart.bars[next(t for t in chart.titles if name in t)] for name in ("mill", "press"))
    assert upper[1] + upper[3] < lower[1]


def test_a_chart_says_in_words_what_it_shows() -> None:
    assert Chart(PLAN).label == "3 operations of 2 jobs on 2 machines, ends at 12"
    many = Plan.of(Assignment("a", k, f"m{k}", 0, 5) for k in range(42))
    assert Chart(many).label == "42 operations of 1 jobs on 42 machines, ends at 5, 2 more machines"
    assert list(Chart(many).machines) == [f"m{k}" for k in range(40)]
    assert Chart(Plan.of(list(many)[:40])).label.endswith("on 40 machines, ends at 5")


def test_machines_stand_in_the_order_of_their_numbers() -> None:
    names = ["2", "10", "m2", "m2 b3", "m2 b20", "m10", "n1"]
    plan = Plan.of(Assignment("a", k, name, 0, 1) for k, name in enumerate(reversed(names)))
    assert list(Chart(plan).machines) == names


@pytest.mark.parametrize(
    ("last", "ticks"),
    [
        (1, [0, 1]),
        (10, list(range(11))),
        (11, [0, 2, 4, 6, 8, 10]),
        (20, list(range(0, 21, 2))),
        (21, [0, 5, 10, 15, 20]),
        (51, [0, 10, 20, 30, 40, 50]),
        (100, list(range(0, 101, 10))),
        (2001, [0, 500, 1000, 1500, 2000]),
    ],
)
def test_ticks_are_round_times_and_at_most_eleven(last: int, ticks: list[int]) -> None:
    assert list(Chart(Plan.of([Assignment("a", 0, "mill", 0, last)])).ticks) == ticks


def test_each_job_keeps_its_colour_and_six_jobs_have_six() -> None:
    plan = Plan.of(Assignment(f"j{k % 7}", k // 7, "mill", k, k + 1) for k in range(14))
    colours = [
        {colour for title, colour in Chart(plan).colours.items() if title.startswith(f"j{k},")} for k in range(7)
    ]
    assert all(len(own) == 1 for own in colours)
    assert len(set.union(*colours[:6])) == 6
    assert colours[6] == colours[0]


def test_long_names_keep_their_beginning_and_their_end() -> None:
    fits, long = "press_of_hall_2", "press_of_hall_12"
    assert list(Chart(Plan.of([Assignment("a", 0, fits, 0, 1)])).machines) == [fits]
    assert list(Chart(Plan.of([Assignment("a", 0, long, 0, 1)])).machines) == ["press_of_h…l_12"]


def test_the_shortest_operation_can_be_seen() -> None:
    chart = Chart(Plan.of([Assignment("a", 0, "mill", 0, 1), Assignment("b", 0, "mill", 1, 100_000)]))
    assert chart.bars["a, operation 0: mill 0 … 1"][2] == 0.5


def test_the_last_end_is_at_the_right_edge_however_long_the_plan() -> None:
    edges = set()
    for last in (1, 7, 1000):
        x, _, width, _ = Chart(Plan.of([Assignment("a", 0, "mill", 0, last)])).bars[f"a, operation 0: mill 0 … {last}"]
        edges.add(round(x + width, 1))
    assert len(edges) == 1


def test_lines_and_times_of_the_axis_stay_within_the_chart() -> None:
    chart = Chart(PLAN)
    lowest = max(y + height for _, y, _, height in chart.bars.values())
    assert all(
        lowest < end < depth < chart.height for end, depth in zip(chart.line_ends, chart.tick_depths, strict=True)
    )


def test_an_empty_plan_says_so() -> None:
    assert Plan(())._repr_html_() == "<p>A plan without operations.</p>"


def test_an_operation_without_a_length_can_be_drawn() -> None:
    assert Chart(Plan.of([Assignment("a", 0, "mill", 0, 0)])).titles == ["a, operation 0: mill 0 … 0"]


def test_above_1500_operations_bars_that_touch_are_one() -> None:
    def row(machine: str, count: int) -> list[Assignment]:
        # Pairs that touch, then a minute's gap.
        return [Assignment("a", k, machine, 2 * k + k // 2, 2 * k + k // 2 + 2) for k in range(count)]

    shown = Chart(Plan.of([*row("mill", 1000), *row("press", 500)]))
    assert len(shown.titles) == 1500
    joined = Chart(Plan.of([*row("mill", 1000), *row("press", 501)]))
    assert joined.titles == []
    assert len(joined.rects) == 500 + 251
    minute = (joined.ticks[2000] - joined.ticks[0]) / 2000
    first, second = ([float(rect[key]) for key in ("x", "width")] for rect in joined.rects[:2])
    assert first == pytest.approx([joined.ticks[0], 4 * minute], abs=0.1)
    assert second == pytest.approx([joined.ticks[0] + 5 * minute, 4 * minute], abs=0.1)


def test_an_operation_inside_a_longer_one_does_not_cut_it_short() -> None:
    inside = [
        Assignment("a", 0, "mill", 0, 100),
        Assignment("b", 0, "mill", 10, 20),
        Assignment("c", 0, "mill", 50, 60),
    ]
    late = [Assignment("d", k, "press", 200 + k, 201 + k) for k in range(1500)]
    chart = Chart(Plan.of([*inside, *late]))
    minute = (chart.ticks[1000] - chart.ticks[0]) / 1000
    assert [float(rect["width"]) for rect in chart.rects] == pytest.approx([100 * minute, 1500 * minute], abs=0.1)
