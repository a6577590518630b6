"""What is said in short is planned as if it were said in full, and says what is wrong with it."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.scheduling.checker import check
from twinloop.scheduling.execution.whatif import with_machine, without_job
from twinloop.scheduling.files.shop_json import read_shop, write_shop
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation, Operator, Window
from twinloop.scheduling.rescheduling.events import CancelledJob, after
from twinloop.scheduling.solvers.generation import generate
from twinloop.scheduling.solvers.rules import dispatch

LATHES = {"lathes": ("l1", "l2", "l3")}


def lathes(*operations: Operation, **limits) -> JobShop:
    jobs = tuple(Job(f"j{k}", (operation,)) for k, operation in enumerate(operations))
    return JobShop(("l1", "l2", "l3", "saw"), jobs, groups=LATHES, **limits)


def modes(operation: Operation) -> dict[str, int]:
    return {mode.machine: mode.duration for mode in operation.modes}


def test_a_group_is_all_its_machines() -> None:
    shop = lathes(Operation("lathes", 5), Operation("saw", 3, (Alternative("lathes", 4),)))
    assert modes(shop.jobs[0].operations[0]) == {"l1": 5, "l2": 5, "l3": 5}
    assert modes(shop.jobs[1].operations[0]) == {"saw": 3, "l1": 4, "l2": 4, "l3": 4}


def test_a_machine_of_a_group_that_is_named_keeps_its_own_time() -> None:
    shop = lathes(Operation("lathes", 5, (Alternative("l2", 9),)), Operation("l3", 1, (Alternative("lathes", 4),)))
    assert modes(shop.jobs[0].operations[0]) == {"l1": 5, "l3": 5, "l2": 9}
    assert modes(shop.jobs[1].operations[0]) == {"l3": 1, "l1": 4, "l2": 4}


def test_identical_machines_share_the_work() -> None:
    # Seven jobs of 2 on three machines: P || Cmax is ceil(7 / 3) × 2.
    shop = lathes(*(Operation("lathes", 2) for _ in range(7)))
    assert shop.solve("makespan", method="CP-SAT", iterations=2000).objective == 6
    assert dispatch(shop, "LPT").makespan == 6


def test_a_duration_is_its_fixed_part_and_a_time_for_each_piece() -> None:
    job = Job("a", (Operation("saw", 10, piece_time=0.1), Operation("lathes", 0, piece_time=1.25)), quantity=30)
    shop = JobShop(("l1", "l2", "l3", "saw"), (job,), groups=LATHES)
    assert [o.duration for o in shop.jobs[0].operations] == [13, 38]
    assert replace(shop, power={"saw": 1}).jobs == shop.jobs


def order(**given) -> Job:
    operations = (Operation("saw", 0, piece_time=2), Operation("l1", 0, piece_time=1))
    return Job("a", operations, **{"quantity": 6, "due": 14, "weight": 3} | given)


def test_lots_go_on_as_they_are_done() -> None:
    # Six pieces of 2 on the saw end at 12; the last lot of two then takes 2 on the lathe. Unsplit it would be 18.
    machines = ("saw", "l1")
    split = JobShop(machines, (order(lot=2),)).solve("makespan", method="CP-SAT", iterations=500)
    assert split.objective == 14
    assert JobShop(machines, (order(),)).solve("makespan", method="CP-SAT", iterations=500).objective == 18


def test_lots_keep_the_date_weight_and_material_of_their_order() -> None:
    steel = Operation("saw", 0, piece_time=2, materials={"bar": 5})
    from twinloop.scheduling.problem import Material

    shop = JobShop(("saw",), (Job("a", (steel,), quantity=7, lot=3, due=9, weight=4),), materials=(Material("bar", 5),))
    assert [(job.name, job.part_of, job.due) for job in shop.jobs] == [
        ("a/1", "a", None),
        ("a/2", "a", None),
        ("a/3", "a", None),
        ("a", "", 9),
    ]
    assert [job.operations[0].duration for job in shop.jobs] == [6, 6, 2, 0]
    assert sum(job.operations[0].materials.get("bar", 0) for job in shop.jobs) == 5
    solution = shop.solve("weighted_tardiness", method="ATC", iterations=1)
    assert solution.objective == 4 * (14 - 9)


def test_rules_serve_lots_by_the_date_of_their_order() -> None:
    jobs = (Job("early", (Operation("saw", 3),), due=20), order(lot=3, due=5))
    plan = dispatch(JobShop(("saw", "l1"), jobs), "EDD")
    assert next(iter(plan)).job == "a/1"


def test_an_order_in_lots_is_cancelled_and_left_out_as_a_whole() -> None:
    shop = JobShop(("saw", "l1"), (order(lot=2), Job("b", (Operation("l1", 2),), after=("a",))))
    assert [job.name for job in without_job(shop, "a").jobs] == ["b"]
    begun = [a for a in generate(shop, []) if a.start < 1]
    assert {a.job for a in begun} == {"a/1"}
    left = after(shop, CancelledJob(1, "a"), begun=begun, now=1)
    assert [(job.name, len(job.operations)) for job in left.jobs] == [("a/1", 1), ("b", 1)]


def test_a_new_machine_joins_the_groups_of_the_one_it_is_like() -> None:
    shop = with_machine(lathes(Operation("lathes", 5)), "l4", like="l2")
    assert shop.groups["lathes"] == ("l1", "l2", "l3", "l4")
    more = replace(shop, jobs=(*shop.jobs, Job("rush", (Operation("lathes", 2),))))
    assert "l4" in modes(more.by_name["rush"].operations[0])


PEOPLE = (Operator("ann", ("mill", "weld")), Operator("bob", ("weld",)), Operator("cem", ("paint",)))


def skilled(*needs: dict[str, int], people=PEOPLE) -> JobShop:
    machines = tuple(f"m{k}" for k in range(len(needs)))
    jobs = tuple(Job(f"j{k}", (Operation(machines[k], 2, skills=need),)) for k, need in enumerate(needs))
    return JobShop(machines, jobs, operators=people)


def test_skills_become_pools_and_their_unions() -> None:
    shop = skilled({"weld": 1}, {"mill": 1})
    assert {pool.name: pool.capacity for pool in shop.pools} == {
        "skill mill+weld": 2,
        "skill mill": 1,
        "skill paint": 1,
    }


@pytest.mark.parametrize(
    ("needs", "makespan"),
    [
        ([{"weld": 1}, {"weld": 1}], 2),
        ([{"weld": 1}, {"weld": 1}, {"mill": 1}], 4),
        ([{"weld": 1}, {"mill": 1}, {"paint": 1}], 2),
        ([{"mill": 1}, {"mill": 1}], 4),
        ([{"weld": 2}, {"paint": 1}], 2),
    ],
)
@pytest.mark.parametrize("method", ["CP-SAT", "SPT"])
def test_as_much_goes_on_at_once_as_there_are_people_for(
    needs: list[dict[str, int]], makespan: int, method: str
) -> None:
    shop = skilled(*needs)
    solution = shop.solve("makespan", method=method, iterations=500)
    check(shop, solution.plan)
    assert solution.objective == makespan


SKILLS = ("a", "b", "c", "d")


@given(
    st.lists(st.sets(st.sampled_from(SKILLS), min_size=1), min_size=1, max_size=4),
    st.lists(st.sampled_from(SKILLS), min_size=1, max_size=4),
)
@settings(max_examples=150)
def test_pools_allow_at_once_exactly_what_people_can_do(people: list[set[str]], asked: list[str]) -> None:
    # By brute force: some way to give each operation a person of its own who can do it.
    operators = tuple(Operator(str(k), tuple(sorted(skills))) for k, skills in enumerate(people))
    ways = itertools.permutations(operators, len(asked))
    possible = any(all(skill in who.skills for skill, who in zip(asked, way, strict=True)) for way in ways)
    if not set(asked) <= set().union(*people):
        return
    pools = {
        pool.name: pool.capacity
        for pool in JobShop(("m",), (Job("x", (Operation("m", 1),)),), operators=operators).pools
    }
    shops = [skilled({skill: 1}, people=operators) for skill in asked]
    used = {name: sum(shop.jobs[0].operations[0].pools.get(name, 0) for shop in shops) for name in pools}
    assert possible == all(used[name] <= capacity for name, capacity in pools.items())


BAD = {
    "group of nothing": ({"groups": {"g": ()}}, "group g: expected machines, each once, got none"),
    "group of strangers": ({"groups": {"g": ("x",)}}, "group g: machine 'x' is not in the shop; known: saw, l1"),
    "group as a machine": ({"groups": {"saw": ("l1",)}}, "group 'saw' has the name of a machine"),
    "no quantity": ({"jobs": (order(quantity=0),)}, "job a: quantity = 0: expected a whole number of at least 1"),
    "half a lot": ({"jobs": (order(lot=0.5),)}, "job a: lot = 0.5: expected a whole number"),
    "pieces without a time": (
        {"jobs": (Job("a", (Operation("saw", 2),), quantity=3),)},
        "job a: quantity = 3, but no operation has a piece_time",
    ),
    "negative piece time": (
        {"jobs": (Job("a", (Operation("saw", 2, piece_time=-1.0),)),)},
        "job a operation 0: piece_time = -1.0: expected a number of at least 0",
    ),
    "unknown skill": (
        {"jobs": (Job("a", (Operation("saw", 2, skills={"fly": 1}),)),), "operators": PEOPLE},
        "job a operation 0: unknown skill 'fly'; known: mill, paint, weld",
    ),
    "too many people": (
        {"jobs": (Job("a", (Operation("saw", 2, skills={"mill": 2}),)),), "operators": PEOPLE},
        "job a operation 0: needs 2 of pool skill mill, which has 1",
    ),
    "nobody can": ({"operators": (Operator("ann", ()),)}, "operator ann: expected at least one skill"),
    "twice the same": ({"operators": (PEOPLE[0], PEOPLE[0])}, "operators: one is there twice"),
    "away at different times": (
        {"operators": (PEOPLE[0], replace(PEOPLE[1], closed=(Window(2, 3),)))},
        "operators ann and bob share skills and are away at different times",
    ),
    "name of a lot": (
        {"jobs": (order(lot=2), Job("a/1", (Operation("saw", 1),)))},
        "job 'a/1' is there twice",
    ),
}


@pytest.mark.parametrize(("given", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_reduced_is_named_in_one_line(given: dict, message: str) -> None:
    with pytest.raises(InputError, match="^[^\n]{1,300}$") as caught:
        JobShop(**{"machines": ("saw", "l1"), "jobs": (order(),)} | given)
    assert message in str(caught.value)


def test_json_in_short_and_in_full_reads_to_one_shop(tmp_path: Path) -> None:
    shop = JobShop(
        ("saw", "l1"),
        (order(lot=2), Job("b", (Operation("either", 4, skills={"weld": 1}),))),
        groups={"either": ("saw", "l1")},
        operators=PEOPLE,
    )
    write_shop(tmp_path / "full.json", shop)
    assert read_shop(tmp_path / "full.json") == shop
    (tmp_path / "short.json").write_text(
        '{"version": 2, "machines": ["saw", "l1"], "groups": {"either": ["saw", "l1"]}, "operators": ['
        '{"name": "ann", "skills": ["mill", "weld"]}, {"name": "bob", "skills": ["weld"]}, '
        '{"name": "cem", "skills": ["paint"]}], "jobs": ['
        '{"name": "a", "quantity": 6, "lot": 2, "due": 14, "weight": 3, "operations": ['
        '{"machine": "saw", "duration": 0, "piece_time": 2}, {"machine": "l1", "duration": 0, "piece_time": 1}]}, '
        '{"name": "b", "operations": [{"machine": "either", "duration": 4, "skills": {"weld": 1}}]}]}'
    )
    assert read_shop(tmp_path / "short.json") == shop
