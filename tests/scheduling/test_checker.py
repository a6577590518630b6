import ast
import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scheduling.shops import rich_plan, rich_shop, shops
from twinloop.contracts import Assignment, Plan
from twinloop.errors import RunError
from twinloop.scheduling.checker import check, violations
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.solvers.rules import dispatch

SHOP = JobShop(
    ("mill", "press"),
    (
        Job("a", (Operation("mill", 3), Operation("press", 2)), release=1, due=6, firm=True),
        Job("b", (Operation("press", 4), Operation("mill", 1))),
        Job("c", (Operation("mill", 2),), after=("b",)),
    ),
)
GOOD = (
    Assignment("a", 0, "mill", 1, 4),
    Assignment("a", 1, "press", 4, 6),
    Assignment("b", 0, "press", 0, 4),
    Assignment("b", 1, "mill", 4, 5),
    Assignment("c", 0, "mill", 5, 7),
)


def changed(number: int, **changes: object) -> Plan:
    return Plan.of(replace(a, **changes) if k == number else a for k, a in enumerate(GOOD))  # type: ignore[arg-type]


WRONG = {
    "missing operation": (Plan.of(GOOD[:-1]), "job c operation 0 is not planned"),
    "repeated operation": (Plan.of([*GOOD, Assignment("c", 0, "mill", 9, 11)]), "job c operation 0 is planned 2 times"),
    "unknown operation": (Plan.of([*GOOD, Assignment("z", 0, "mill", 9, 11)]), "job z operation 0 is not in the shop"),
    "wrong machine": (changed(4, machine="press", start=6, end=8), "job c operation 0 is on press, expected mill"),
    "wrong duration": (changed(4, end=8), "job c operation 0 takes 3, expected 2"),
    "before release": (changed(0, start=0, end=3), "job a operation 0 starts at 0, released at 1"),
    "wrong order": (changed(3, start=0, end=1), "job b operation 1 starts at 0, operation 0 ends at 4"),
    "wrong job order": (changed(3, start=7, end=8), "job c starts at 5, job b ends at 8"),
    "missed firm due date": (changed(1, start=5, end=7), "job a ends at 7, due at 6"),
    "overlap": (changed(4, start=4, end=6), "mill: job c operation 0 starts at 4, job b operation 1 ends at 5"),
}


def test_a_good_plan_has_no_violations() -> None:
    assert violations(SHOP, Plan.of(GOOD)) == ()
    check(SHOP, Plan.of(GOOD))


@pytest.mark.parametrize("rule", WRONG)
def test_a_wrong_plan_is_refused_with_the_rule_it_breaks(rule: str) -> None:
    plan, message = WRONG[rule]
    assert (rule, message) in [(v.rule, v.message) for v in violations(SHOP, plan)]
    with pytest.raises(RunError, match=rule):
        check(SHOP, plan)


def test_many_violations_are_counted_in_one_line() -> None:
    with pytest.raises(RunError, match=r"^plan: [^\n]* and 2 more$"):
        check(SHOP, Plan.of([]))


@given(shops(), st.data())
def test_every_mutation_of_a_valid_plan_is_noticed(shop: JobShop, data: st.DataObject) -> None:
    rows = list(dispatch(shop, "FIFO"))
    k = data.draw(st.integers(0, len(rows) - 1))
    a = rows[k]
    mutations = {
        "missing operation": [],
        "repeated operation": [a, replace(a, start=a.end + shop.horizon, end=2 * a.end - a.start + shop.horizon)],
        "wrong duration": [replace(a, end=a.end + 1)],
        "wrong machine": [replace(a, machine="elsewhere")],
        "unknown operation": [a, replace(a, operation=99)],
    }
    if a.operation == 0:
        early = shop.by_name[a.job].release - 1
        mutations["before release"] = [replace(a, start=early, end=early + a.end - a.start)]
    else:
        before = next(b for b in rows if (b.job, b.operation) == (a.job, a.operation - 1))
        mutations["wrong order"] = [replace(a, start=before.end - 1, end=before.end - 1 + a.end - a.start)]
    others = [b for b in rows if b.machine == a.machine and b is not a]
    if others:
        start = others[0].start
        mutations["overlap"] = [replace(a, start=start, end=start + a.end - a.start)]
    rule = data.draw(st.sampled_from(sorted(mutations)))
    wrong = Plan.of([*rows[:k], *mutations[rule], *rows[k + 1 :]])
    assert rule in {v.rule for v in violations(shop, wrong)}


def test_the_checker_shares_no_code_with_the_solvers(repository: Path) -> None:
    tree = ast.parse((repository / "src/twinloop/scheduling/checker.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if name and name.startswith("twinloop")} == {
        "twinloop.contracts",
        "twinloop.errors",
        "twinloop.scheduling.problem",
    }


def test_a_plan_with_calendar_set_ups_people_and_material_is_valid():
    assert violations(rich_shop(), rich_plan()) == ()


def test_a_resumable_operation_may_pause_over_a_closed_window():
    paused = rich_plan(shaft_1=("mill", 18, 28), base_0=("lathe", 28, 33))
    assert violations(rich_shop(), paused) == ()
    too_short = rich_plan(shaft_1=("mill", 18, 27), base_0=("lathe", 28, 33))
    assert [v.rule for v in violations(rich_shop(), too_short)] == ["wrong duration"]


RICH_FAULTS = {
    "closed machine": ({"shaft_1": ("mill", 8, 14)}, "closed"),
    "not resumable": ({"base_0": ("mill", 17, 22)}, "closed"),
    "closed pool": ({"cover_0": ("saw", 7, 10), "cover_1": ("lathe", 12, 17)}, "closed"),
    "no set-up": ({"cover_0": ("saw", 8, 11), "cover_1": ("lathe", 13, 18)}, "no time for set-up"),
    "no transport": ({"shaft_1": ("lathe", 8, 16), "cover_1": ("lathe", 14, 19)}, "no time for transport"),
    "waits": ({"cover_1": ("lathe", 15, 20), "base_0": ("lathe", 20, 25)}, "waits"),
    "material": ({"shaft_0": ("saw", 2, 6)}, "material missing"),
    "wrong machine": ({"base_0": ("saw", 19, 24)}, "wrong machine"),
}


@pytest.mark.parametrize(("changes", "rule"), RICH_FAULTS.values(), ids=RICH_FAULTS.keys())
def test_each_rule_of_a_rich_shop_is_noticed(changes, rule):
    assert rule in [v.rule for v in violations(rich_shop(), rich_plan(**changes))]


def test_more_people_than_there_are_are_noticed():
    shop = rich_shop()
    both = rich_plan(shaft_0=("saw", 14, 18))
    assert "pool overdrawn" in [v.rule for v in violations(shop, both)]


def test_a_frozen_operation_keeps_machine_and_times():
    fixed = Assignment("base", 0, "lathe", 30, 40)  # longer than planned: it is running, and late
    shop = dataclasses.replace(rich_shop(), frozen=(fixed,))
    assert [v.rule for v in violations(shop, rich_plan())] == ["frozen operation moved"]
    assert violations(shop, rich_plan(base_0=("lathe", 30, 40))) == ()
