import numpy as np
import polars as pl
import pytest
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_hex

from tests.reporting.pictures import assert_tells, assert_whole
from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.contracts import Assignment, Plan
from twinloop.numbers import Interval
from twinloop.reporting.figures import planning, scheduling
from twinloop.reporting.style import BLUE, GREY, RED, Picture
from twinloop.scheduling.figures.gantt import gantt
from twinloop.scheduling.frames import load_frame
from twinloop.scheduling.problem import Job, JobShop, Operation

HOSTILE = "<script>alert(1)</script> $x_1$"
SHOP = JobShop(
    ("mill", HOSTILE),
    (
        Job("1_a", (Operation("mill", 60), Operation(HOSTILE, 30)), due=100),
        Job(HOSTILE, (Operation("mill", 120),), due=150),
        Job("3_b", (Operation(HOSTILE, 20),)),
    ),
)
PLAN = Plan.of(
    [
        Assignment("1_a", 0, "mill", 0, 60),
        Assignment(HOSTILE, 0, "mill", 60, 180),
        Assignment("3_b", 0, HOSTILE, 0, 20),
        Assignment("1_a", 1, HOSTILE, 60, 90),
    ]
)
GROUPS = {"1_a": "a", HOSTILE: HOSTILE}
DOWN = pl.DataFrame({"machine": ["mill"], "start": [150.0], "end": [165.5]})
UNDATED = JobShop(("mill",), (Job("a", (Operation("mill", 5),)),))
RUNS = {"CP-SAT": np.array([1.0, 2.0, 3.0]), HOSTILE: np.array([2.0, 4.0, 9.0])}
RESULTS = {"buffer": Interval(50, -10, 110), HOSTILE: Interval(300, 200, 400), "plan": Interval(-40, -60, -20)}
TRACE = pl.DataFrame(
    {
        "method": ["CP-SAT", "CP-SAT", HOSTILE],
        "wall_s": [0.5, 4.0, 0.0],
        "objective": [240, 120, 180],
        "bound": [60, 60, 30],
    }
)
HEDGES = [
    planning.Hedge("slack 0", 10.0, Interval(15, 14, 16), Interval(24, 22, 26), Interval(0.2, 0.1, 0.3)),
    planning.Hedge(HOSTILE, 12.0, Interval(14, 13, 15), Interval(18, 17, 19), Interval(0.6, 0.5, 0.7)),
    planning.Hedge("slack 2", 11.5, Interval(14, 13, 15), Interval(19, 18, 20), Interval(0.5, 0.4, 0.6)),
]

FIGURES = {
    "gantt": lambda: scheduling.gantt(SHOP, PLAN, groups=GROUPS, downtime=DOWN, planned=PLAN),
    "rich gantt": lambda: scheduling.gantt(rich_shop(), rich_plan(), unit="time units"),
    "due dates": lambda: scheduling.due_dates(SHOP, PLAN, groups=GROUPS),
    "no due dates": lambda: scheduling.due_dates(UNDATED, Plan.of([Assignment("a", 0, "mill", 0, 5)])),
    "load": lambda: scheduling.machine_load(load_frame(rich_shop(), rich_plan())),
    "planned against executed": lambda: planning.planned_against_executed(
        RUNS, {"CP-SAT": 1.0, HOSTILE: 2.0}, label="lateness (hours)", title="Lateness"
    ),
    "methods": lambda: planning.method_comparison(RESULTS, label="lateness (hours)", title="Methods", chosen="plan"),
    "incumbents": lambda: planning.incumbents(
        TRACE, label="lateness (hours)", scale=60, at_once={"SPT": 9.0, HOSTILE: 5.0}
    ),
    "front": lambda: planning.pareto_front(
        [(40, 9), (50, 3)], proved=[True, False], labels=("end (hours)", "lateness (hours)"), chosen=(50, 3)
    ),
    "what if": lambda: planning.what_if(RESULTS, label="lateness (hours)"),
    "robustness": lambda: planning.price_of_robustness(HEDGES, label="end of the last order (hours)"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_labels_its_axes_with_units_has_words_and_can_be_drawn(name):
    figure = FIGURES[name]()
    assert_tells(figure)
    (axes,) = figure.axes
    assert axes.get_title(loc="left")
    labels = [axes.get_xlabel(), axes.get_ylabel()]
    assert any(labels)
    assert all("(" in label for label in labels if label)


@pytest.mark.parametrize("name", FIGURES)
def test_no_label_is_cut_off(name):
    assert_whole(FIGURES[name]())


def outlines(figure: Picture) -> list[tuple[float, float, int]]:
    """(left, width, lane) of every outlined bar."""
    patches = [patch for patch in figure.axes[0].patches if patch.get_facecolor()[3] == 0]
    return [(p.get_x(), p.get_width(), round(p.get_y() + p.get_height() / 2)) for p in patches]


def boxes(figure: Picture, zorder: int) -> list[tuple[float, float]]:
    """Left and right end of every box of the collections at this height."""
    found = [c for c in figure.axes[0].collections if isinstance(c, PatchCollection) and c.get_zorder() == zorder]
    extents = [path.get_extents() for collection in found for path in collection.get_paths()]
    return sorted((round(float(box.x0), 4), round(float(box.x1), 4)) for box in extents)


def test_bars_lie_in_hours_and_the_critical_path_is_outlined():
    figure = scheduling.gantt(SHOP, PLAN)
    assert boxes(figure, zorder=2) == [(0, 0.3333), (0, 1), (1, 1.5), (1, 3)]
    assert outlines(figure) == [(0, 1, 0), (1, 2, 0)]
    assert "critical path has 2 operations, most time on mill" in figure.alt


def test_closed_windows_setups_and_downtime_have_boxes_of_their_own():
    figure = scheduling.gantt(rich_shop(), rich_plan(), unit="time units")
    assert boxes(figure, zorder=1) == [(8, 10), (20, 24)]
    assert (7.0, 9.0) in boxes(figure, zorder=2)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"closed", "set-up", "critical path"} <= set(labels)
    down = scheduling.gantt(SHOP, PLAN, downtime=DOWN)
    assert boxes(down, zorder=3) == [(2.5, 2.7583)]


def test_a_job_that_ends_late_has_a_red_end_and_a_red_line_from_its_due_date():
    ends = scheduling.gantt(SHOP, PLAN).axes[0].collections
    red = [c for c in ends if not isinstance(c, PatchCollection)]
    assert [float(c.get_segments()[0][0][0]) for c in red] == [3.0]
    figure = scheduling.due_dates(SHOP, PLAN)
    late = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert list(late[-1].get_xdata()) == [2.5, 3.0]
    assert "1 end late" in figure.alt


def test_of_many_jobs_the_latest_are_shown():
    jobs = tuple(Job(f"{k:03d}", (Operation("mill", 10),), due=500) for k in range(60))
    shop = JobShop(("mill",), jobs)
    plan = Plan.of(Assignment(job.name, 0, "mill", 10 * k, 10 * k + 10) for k, job in enumerate(jobs))
    labels = [text.get_text() for text in scheduling.due_dates(shop, plan).axes[0].get_yticklabels()]
    assert labels == [f"{k:03d}" for k in range(20, 60)]


def test_shares_of_a_machines_time_add_up_to_all_of_it():
    axes = FIGURES["load"]().axes[0]
    ends = {}
    for bar in axes.patches:
        place = round(bar.get_y() + bar.get_height() / 2)
        assert bar.get_x() == pytest.approx(ends.get(place, 0))
        ends[place] = bar.get_x() + bar.get_width()
    assert list(ends.values()) == pytest.approx([100, 100, 100])


def test_incumbents_keep_their_value_to_the_end_and_a_clock_of_zero_has_a_place():
    axes = FIGURES["incumbents"]().axes[0]
    assert axes.get_xscale() == "log"
    found = {line.get_label().partition(":")[0]: line for line in axes.lines}
    assert list(found["CP-SAT"].get_ydata()) == [4, 2, 2]
    assert [list(line.get_ydata()) for line in axes.lines if line.get_linestyle() == ":"] == [[5, 5]]
    assert (
        min(line.get_xdata().min() for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linestyle() != ":")
        > 0
    )


def test_points_that_are_not_proved_are_hollow():
    axes = FIGURES["front"]().axes[0]
    faces = [tuple(collection.get_facecolor()[0]) for collection in axes.collections]
    assert [face == (1, 1, 1, 1) for face in faces] == [False, True]
    assert list(axes.lines[-1].get_xdata()) == [50]


def test_the_price_of_robustness_follows_the_slack():
    figure = FIGURES["robustness"]()
    worst = next(line for line in figure.axes[0].lines if line.get_marker() == "s")
    assert list(worst.get_xdata()) == [10, 12, 11.5]
    assert list(worst.get_ydata()) == [24, 18, 19]
    assert "kept in 60\u202f%" in figure.alt


def test_changes_are_ranked_and_unsure_ones_are_grey():
    axes = FIGURES["what if"]().axes[0]
    assert [text.get_text()[:6] for text in axes.get_yticklabels()] == ["plan", "buffer", "<scrip"]
    assert [to_hex(bar.get_facecolor()).upper() for bar in axes.patches] == [BLUE, GREY, RED]


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (lambda: planning.incumbents(TRACE.clear(), label="x (h)"), "No search left a trace"),
        (lambda: planning.pareto_front([], proved=[], labels=("a", "b")), "No front"),
        (lambda: planning.price_of_robustness([], label="x (h)"), "No robust plans"),
        (lambda: planning.what_if({}, label="x (h)"), "Nothing was asked"),
    ],
)
def test_what_is_not_there_is_said_in_words(figure, words):
    assert figure().axes == []
    assert words in figure().alt


def test_boxes_show_executions_and_diamonds_the_plan():
    axes = FIGURES["planned against executed"]().axes[0]
    diamonds = next(line for line in axes.lines if line.get_marker() == "D")
    assert list(diamonds.get_xdata()) == [1.0, 2.0]


def test_methods_are_ordered_by_their_result():
    axes = FIGURES["methods"]().axes[0]
    assert [text.get_text()[:7] for text in axes.get_yticklabels()] == ["plan", "buffer", "<script"]


def test_the_written_chart_carries_its_library_and_its_names_are_text(tmp_path):
    scheduling.write_interactive(gantt(SHOP, PLAN, groups=GROUPS), tmp_path / "gantt.html")
    text = (tmp_path / "gantt.html").read_text()
    assert "<script>alert(1)" not in text
    assert 'src="http' not in text
    assert len(text) > 1_000_000


def test_the_written_chart_is_a_page_with_language_title_legend_and_a_word_where_scripts_are_off(tmp_path):
    figure = gantt(SHOP, PLAN, groups=GROUPS)
    scheduling.write_interactive(figure, tmp_path / "gantt.html")
    text = (tmp_path / "gantt.html").read_text()
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>The plan</title>" in text
    assert "<noscript><p>The plan is drawn by JavaScript, which is off here." in text
    assert figure.layout.showlegend
    assert {trace.name for trace in figure.data if trace.showlegend is not False} >= {"a", "critical path", "due date"}
