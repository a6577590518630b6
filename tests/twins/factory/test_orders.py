import shutil
from html import escape
from pathlib import Path

import pytest

from tests.twins.factory.planned import HOSTILE, write_outputs
from twinloop.errors import InputError
from twinloop.reporting.figures import planning, scheduling
from twinloop.reporting.notebooks import execute, write_executed
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.orders import Orders

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned")
    write_outputs(folder)
    return folder


@pytest.fixture(scope="module")
def orders(root: Path) -> Orders:
    return Orders(root)


FIGURES = {
    "gantt": lambda orders: scheduling.gantt(**orders.gantt()),
    "due dates": lambda orders: scheduling.due_dates(**orders.gantt()),
    "executed": lambda orders: scheduling.gantt(**orders.executed()),
    "load": lambda orders: scheduling.machine_load(orders.load()),
    "search": lambda orders: planning.incumbents(**orders.search()),
    "front": lambda orders: planning.pareto_front(**orders.front()),
    "robustness": lambda orders: planning.price_of_robustness(**orders.robustness()),
    "what if": lambda orders: planning.what_if(**orders.what_if()),
    "reactions": lambda orders: planning.method_comparison(**orders.reactions()),
    "methods": lambda orders: planning.method_comparison(**orders.tardiness_by_method()),
    "tardiness": lambda orders: planning.planned_against_executed(**orders.executed_tardiness()),
    "makespan": lambda orders: planning.planned_against_executed(**orders.executed_makespan()),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_of_the_page_is_drawn_from_the_stages_files(orders: Orders, name: str) -> None:
    assert FIGURES[name](orders).png.startswith(b"\x89PNG")


def test_the_interactive_chart_shows_the_same_plan(orders: Orders) -> None:
    names = {trace.name for trace in orders.shop.gantt(orders.plan, groups=orders.products()).data}
    assert {"shaft", "critical path", "due date"} <= names
    assert not any("<script" in str(name) for name in names)


def test_an_execution_is_shown_against_its_plan_with_the_breakdowns(orders: Orders) -> None:
    shown = orders.executed()
    assert shown["planned"] == orders.plan
    assert shown["plan"].makespan >= orders.plan.makespan * 0.8
    assert set(shown["downtime"].columns) == {"machine", "start", "end"}


def test_methods_without_a_trace_answer_at_once(orders: Orders) -> None:
    shown = orders.search()
    assert set(shown["trace"]["method"]) == {"CP-SAT"}
    assert set(shown["at_once"]) == {"SPT", "LPT"}
    assert shown["label"] == "weighted tardiness (hours × weight)"


def test_the_goal_is_the_figure_that_the_objective_equals(tmp_path: Path) -> None:
    write_outputs(tmp_path, objective="makespan")
    assert Orders(tmp_path).goal == "end of the last order (hours)"


def test_the_plan_that_is_used_is_marked_on_the_front(orders: Orders) -> None:
    front = orders.front()
    assert front["chosen"] in front["points"]
    assert front["proved"] == [True, False]


def test_the_parts_of_the_critical_path_make_up_the_whole_makespan(orders: Orders) -> None:
    table = orders.makespan_parts()
    shares = [float(row[2].split("\u202f")[0]) for row in table.rows]
    assert sum(shares) == pytest.approx(100, abs=0.1 * len(shares))
    assert "of its time" in table.caption


def test_every_slack_tells_how_often_its_promise_is_kept(orders: Orders) -> None:
    table = orders.kept()
    assert [row[0] for row in table.rows] == ["slack 0", "slack 1", "slack 2"]
    assert all(row[4].endswith("%") for row in table.rows)
    assert table.caption == "Weighted tardiness (hours × weight)"


def test_repair_is_compared_with_right_shift(orders: Orders) -> None:
    shifted, repaired = orders.reacted().rows
    assert (shifted[0], repaired[0]) == ("right-shift", "repair")
    assert "(" not in shifted[1]
    assert " … " in repaired[1]
    assert float(repaired[2]) > 0


def test_late_orders_are_told_the_worst_first(orders: Orders) -> None:
    delays = [float(row[2].split("\u202f")[0]) for row in orders.late().rows]
    assert delays == sorted(delays, reverse=True)
    assert len(delays) > 1


def test_a_file_that_is_not_there_is_named_with_the_remedy(root: Path, tmp_path: Path) -> None:
    clone = tmp_path / "root"
    shutil.copytree(root, clone)
    (clone / paths.INCUMBENTS).unlink()
    with pytest.raises(InputError, match=r"incumbents.parquet: not there yet: run `make repro`"):
        Orders(clone).search()


def test_the_notebook_runs_on_them_and_its_page_needs_no_script(root: Path, tmp_path: Path) -> None:
    document = execute(
        ROOT / "notebooks/factory/07_scheduling.ipynb", tmp_path / "out.ipynb", parameters={"root": str(root)}
    )
    write_executed(document, tmp_path / "07_scheduling.html")
    page = (tmp_path / "07_scheduling.html").read_text()
    assert "<script" not in page
    assert HOSTILE not in page
    assert page.count("<img ") >= len(FIGURES)
    assert escape(HOSTILE) in page
