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
from twinloop.scheduling.problem import Job, JobShop, Material, Operation, Pool, Window
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


def test_three_violations_are_shown_and_the_rest_is_counted() -> None:
    with pytest.raises(RunError, match=r"^plan: [^\n]* and 2 more$"):
        check(SHOP, Plan.of([]))
    with pytest.raises(RunError, match=r"^plan: [^\n]* and 1 more$"):
        check(SHOP, Plan.of(GOOD[:1]))
    with pytest.raises(RunError) as caught:
        check(SHOP, Plan.of(GOOD[:2]))
    assert str(caught.value) == "plan: " + "; ".join(
        f"missing operation: job {job} operation {number} is not planned" for job, number in ("b0", "b1", "c0")
    )


def told(shop: JobShop, *rows: tuple[str, int, str, int, int]) -> list[tuple[str, str]]:
    """Rules and messages of a plan given by its rows."""
    return [(v.rule, v.message) for v in violations(shop, Plan.of(Assignment(*row) for row in rows))]


def lone(*operations: Operation, **limits: object) -> JobShop:
    """A shop of one job."""
    return JobShop(("mill", "press"), (Job("a", operations),), **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("operation", [-1, 1])
def test_numbers_beside_those_of_the_job_are_unknown(operation: int) -> None:
    rows = (("a", 0, "mill", 0, 3), ("a", operation, "mill", 5, 8))
    message = f"job a operation {operation} is not in the shop"
    assert told(lone(Operation("mill", 3)), *rows) == [("unknown operation", message)]


def test_an_operation_planned_twice_is_one_fault() -> None:
    rows = (("a", 0, "mill", 0, 3), ("a", 0, "mill", 5, 8), ("a", 1, "press", 8, 10))
    shop = lone(Operation("mill", 3), Operation("press", 2))
    assert told(shop, *rows) == [("repeated operation", "job a operation 0 is planned 2 times")]


@pytest.mark.parametrize(
    ("start", "end", "rule"),
    [
        (0, 5, None),  # ends when the mill closes
        (9, 14, None),  # starts when it opens
        (1, 6, "closed"),
        (5, 10, "closed"),
        (6, 11, "closed"),
        (8, 13, "closed"),
    ],
)
def test_work_that_cannot_pause_keeps_out_of_a_closed_window(start: int, end: int, rule: str | None) -> None:
    shop = lone(Operation("mill", 5), stops={"mill": (Window(5, 9),)})
    expected = [(rule, f"job a operation 0 runs {start} … {end}, closed 5 … 9")] if rule else []
    assert told(shop, ("a", 0, "mill", start, end)) == expected


@pytest.mark.parametrize(
    ("start", "end", "rule", "message"),
    [
        (2, 14, None, ""),  # 3 of work, 4 closed, 1, 2 closed, 2
        (2, 13, "wrong duration", "job a operation 0 takes 11, expected 6 and a pause of 6"),
        (9, 17, None, ""),
        (0, 9, "closed", "job a operation 0 runs 0 … 9, closed 5 … 9"),
        (5, 17, "closed", "job a operation 0 runs 5 … 17, closed 5 … 9"),
        (6, 17, "closed", "job a operation 0 runs 6 … 17, closed 5 … 9"),
        (3, 11, "closed", "job a operation 0 runs 3 … 11, closed 10 … 12"),
        (12, 19, "wrong duration", "job a operation 0 takes 7, expected 6"),
    ],
)
def test_work_that_can_pause_does_so_over_whole_windows(start: int, end: int, rule: str | None, message: str) -> None:
    shop = lone(Operation("mill", 6, resumable=True), stops={"mill": (Window(5, 9), Window(10, 12))})
    assert told(shop, ("a", 0, "mill", start, end)) == ([(rule, message)] if rule else [])


def test_windows_of_machine_and_people_that_touch_or_overlap_are_one_pause() -> None:
    operation = Operation("mill", 4, pools={"smith": 1}, resumable=True)
    shop = lone(
        operation,
        stops={"mill": (Window(2, 10), Window(20, 22))},
        pools=(Pool("smith", 1, stops=(Window(4, 6), Window(10, 12))), Pool("welder", 1, (Window(13, 99),))),
    )
    assert told(shop, ("a", 0, "mill", 0, 14)) == []
    # Ten minutes of pause, not eight and two and two.
    message = "job a operation 0 takes 15, expected 4 and a pause of 10"
    assert told(shop, ("a", 0, "mill", 0, 15)) == [("wrong duration", message)]
    message = "job a operation 0 runs 11 … 24, closed 2 … 12"
    assert told(shop, ("a", 0, "mill", 11, 24)) == [("closed", message)]


def test_frozen_work_keeps_its_times_over_windows_but_not_before_its_release() -> None:
    fixed = Assignment("a", 0, "mill", 1, 9)
    job = Job("a", (Operation("mill", 3),), release=2)
    shop = JobShop(("mill",), (job,), stops={"mill": (Window(2, 4),)}, frozen=(fixed,))
    assert told(shop, ("a", 0, "mill", 1, 9)) == [("before release", "job a operation 0 starts at 1, released at 2")]
    moved = told(shop, ("a", 0, "mill", 4, 7))
    assert moved == [("frozen operation moved", "job a operation 0 is on mill 4 … 7, expected mill 1 … 9")]


def test_transport_and_no_wait_count_from_the_end_of_the_operation_before() -> None:
    move = {("mill", "press"): 2}
    shop = lone(Operation("mill", 3), Operation("press", 2), transport=move)
    first = ("a", 0, "mill", 0, 3)
    assert told(shop, first, ("a", 1, "press", 5, 7)) == []
    assert told(shop, first, ("a", 1, "press", 8, 10)) == []
    late = "job a operation 1 starts at {}, due at 5"
    for start in (3, 4):
        assert told(shop, first, ("a", 1, "press", start, start + 2)) == [("no time for transport", late.format(start))]
    order = "job a operation 1 starts at 2, operation 0 ends at 3"
    assert told(shop, first, ("a", 1, "press", 2, 4)) == [("wrong order", order)]
    strict = lone(Operation("mill", 3), Operation("press", 2, no_wait=True), transport=move)
    assert told(strict, first, ("a", 1, "press", 5, 7)) == []
    waits = ("waits", "job a operation 1 starts at 6, expected 5: no_wait")
    assert told(strict, first, ("a", 1, "press", 6, 8)) == [waits]
    straight = lone(Operation("mill", 3), Operation("press", 2, no_wait=True))
    assert told(straight, first, ("a", 1, "press", 3, 5)) == []


def test_a_job_waits_for_the_last_of_those_before_it() -> None:
    jobs = (
        Job("a", (Operation("mill", 3), Operation("press", 2))),
        Job("b", (Operation("mill", 2), Operation("press", 2)), after=("a",)),
    )
    shop = JobShop(("mill", "press"), jobs)
    a = (("a", 0, "mill", 0, 3), ("a", 1, "press", 3, 5))
    assert told(shop, *a, ("b", 0, "mill", 5, 7), ("b", 1, "press", 7, 9)) == []
    early = told(shop, *a, ("b", 0, "mill", 4, 6), ("b", 1, "press", 6, 8))
    assert early == [("wrong job order", "job b starts at 4, job a ends at 5")]
    # Of a job that is not planned at all nothing but that can be said.
    alone = told(shop, ("b", 0, "mill", 0, 2), ("b", 1, "press", 2, 4))
    assert [rule for rule, _ in alone] == ["missing operation", "missing operation"]


def test_jobs_behind_one_that_is_not_planned_are_judged_too() -> None:
    jobs = (Job("a", (Operation("mill", 3),)), Job("b", (Operation("mill", 3),), due=5, firm=True))
    rules = told(JobShop(("mill",), jobs), ("b", 0, "mill", 3, 6))
    assert rules == [
        ("missing operation", "job a operation 0 is not planned"),
        ("missed firm due date", "job b ends at 6, due at 5"),
    ]


def test_only_a_firm_due_date_must_be_kept_and_its_last_minute_is_in_time() -> None:
    for firm, end, rules in [(True, 5, []), (False, 6, []), (True, 6, ["missed firm due date"])]:
        shop = JobShop(("mill",), (Job("a", (Operation("mill", 3),), due=5, firm=firm),))
        assert [rule for rule, _ in told(shop, ("a", 0, "mill", end - 3, end))] == rules


def side_by_side(*jobs: tuple[str, int, str | None], **limits: object) -> JobShop:
    """Jobs of one operation on the saw: name, duration, family."""
    made = tuple(Job(name, (Operation("saw", duration, family=family),)) for name, duration, family in jobs)
    return JobShop(("saw",), made, **limits)  # type: ignore[arg-type]


def test_whoever_runs_longest_blocks_the_machine() -> None:
    shop = side_by_side(("a", 10, None), ("b", 2, None), ("c", 2, None), ("d", 2, None))
    rows = (("a", 0, "saw", 0, 10), ("b", 0, "saw", 2, 4), ("c", 0, "saw", 9, 11), ("d", 0, "saw", 11, 13))
    assert told(shop, *rows) == [
        ("overlap", "saw: job b operation 0 starts at 2, job a operation 0 ends at 10"),
        ("overlap", "saw: job c operation 0 starts at 9, job a operation 0 ends at 10"),
    ]


def test_a_set_up_takes_its_time_between_families_only() -> None:
    setups = {"saw": {("steel", "brass"): 2, ("None", "steel"): 9, ("steel", "None"): 9}}
    shop = side_by_side(("a", 3, "steel"), ("b", 3, "brass"), ("c", 3, None), ("d", 3, "steel"), setups=setups)
    for second in (4, 5, 6):
        rows = (("a", 0, "saw", 0, 3), ("b", 0, "saw", second, second + 3))
        rest = (("c", 0, "saw", 9, 12), ("d", 0, "saw", 12, 15))
        late = ("no time for set-up", f"saw: job b operation 0 starts at {second}, set up at 5")
        assert told(shop, *rows, *rest) == ([late] if second < 5 else [])


def test_a_pool_may_be_used_up_and_is_free_again_at_an_end() -> None:
    jobs = tuple(
        Job(name, (Operation(name, 3, pools={"smith": need}),)) for name, need in [("a", 2), ("b", 1), ("c", 1)]
    )
    shop = JobShop(("a", "b", "c"), jobs, pools=(Pool("idle", 1), Pool("smith", 2)))
    assert told(shop, ("a", 0, "a", 0, 3), ("b", 0, "b", 3, 6), ("c", 0, "c", 4, 7)) == []
    both = told(shop, ("a", 0, "a", 0, 3), ("b", 0, "b", 2, 5), ("c", 0, "c", 1, 4))
    assert both == [("pool overdrawn", "pool smith: 3 of 2 are needed from 1 by job c operation 0")]


def test_a_delivery_serves_work_that_starts_with_it_and_the_first_lack_is_told() -> None:
    jobs = tuple(Job(name, (Operation(name, 3, materials={"bar": need}),)) for name, need in [("a", 2), ("b", 3)])
    shop = JobShop(("a", "b"), jobs, materials=(Material("glue", 5), Material("bar", 2, ((4, 1), (6, 2)))))
    assert told(shop, ("a", 0, "a", 0, 3), ("b", 0, "b", 6, 9)) == []
    short = told(shop, ("b", 0, "b", 4, 7), ("a", 0, "a", 5, 8))
    assert short == [("material missing", "material bar: 2 missing at 5 for job a operation 0")]
    shorter = told(shop, ("b", 0, "b", 3, 6), ("a", 0, "a", 5, 8))
    assert shorter == [("material missing", "material bar: 1 missing at 3 for job b operation 0")]


def test_a_violation_is_a_value() -> None:
    one = violations(SHOP, Plan.of(GOOD[:-1]))[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.rule = "none"  # type: ignore[misc]
    assert {one, violations(SHOP, Plan.of(GOOD[:-1]))[0]} == {one}


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
        "twinloop.scheduling.problem.hours",  # what a shop's words mean, not when work is done
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


def test_an_operation_planned_twice_does_not_hide_what_else_is_wrong() -> None:
    shop = lone(Operation("mill", 3), Operation("press", 2, no_wait=True))
    first, twice = ("a", 0, "mill", 0, 3), ("repeated operation", "job a operation 1 is planned 2 times")
    assert told(shop, first, ("a", 1, "press", 3, 5), ("a", 1, "press", 8, 10)) == [twice]
    rows = (first, ("a", 0, "mill", 5, 8), ("a", 1, "press", 6, 8))
    assert [rule for rule, _ in told(shop, *rows)] == ["repeated operation", "wrong order"]


def test_work_without_a_pool_or_material_lends_none() -> None:
    needs = [("a", {"smith": 1}, {"bar": 1}), ("b", {"smith": 1}, {"bar": 1}), ("c", {}, {})]
    jobs = tuple(Job(name, (Operation(name, 9, pools=pools, materials=bars),)) for name, pools, bars in needs)
    shop = JobShop(("a", "b", "c"), jobs, pools=(Pool("smith"),), materials=(Material("bar", 1, ((9, 1),)),))
    rules = [rule for rule, _ in told(shop, ("c", 0, "c", 0, 9), ("a", 0, "a", 1, 10), ("b", 0, "b", 2, 11))]
    assert rules == ["pool overdrawn", "material missing"]


def test_later_windows_that_touch_are_one_too() -> None:
    shop = lone(
        Operation("mill", 4, pools={"smith": 1}),
        stops={"mill": (Window(2, 4), Window(20, 22))},
        pools=(Pool("smith", 1, (Window(22, 24),)),),
    )
    assert told(shop, ("a", 0, "mill", 21, 25)) == [("closed", "job a operation 0 runs 21 … 25, closed 20 … 24")]


def test_rows_are_judged_in_the_order_of_time_whatever_theirs_is() -> None:
    shop = side_by_side(("a", 3, "brass"), ("b", 3, "steel"), setups={"saw": {("steel", "brass"): 2}})
    rows = (Assignment("b", 0, "saw", 3, 6), Assignment("a", 0, "saw", 0, 3))
    assert violations(shop, Plan(rows)) == ()


def test_no_more_than_three_violations_are_shown() -> None:
    with pytest.raises(RunError, match=r"^plan: [^;]*;[^;]*;[^;]* and 1 more$"):
        check(SHOP, Plan.of(GOOD[:1]))
