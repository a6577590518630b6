import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import rich_shops, shops, single
from twinloop.contracts import Plan
from twinloop.scheduling.checker import check
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation, Window
from twinloop.scheduling.problem.generate import rich_shop
from twinloop.scheduling.problem.resources import Pool
from twinloop.scheduling.problem.weekly import Calendar, Shift
from twinloop.scheduling.solution import semi_active
from twinloop.scheduling.solvers.rules import dispatch

rules = st.sampled_from(list(RULES))


def sequence(plan: Plan) -> str:
    return "".join(a.job for a in plan)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        *(("SPT", "bcad"), ("LPT", "dacb"), ("FIFO", "abcd"), ("EDD", "dcba"), ("MWKR", "dacb"), ("ATC", "dcab")),
        *(("LWKR", "bcad"), ("MOPNR", "abcd"), ("ATCS", "dcab"), ("CR", "dcab"), ("S/OPN", "dcba")),
        *(("S/RPT+SPT", "cdba"), ("COVERT", "dcab"), ("PT+WINQ", "bcad")),
    ],
)
def test_each_rule_orders_a_single_machine_as_its_name_says(rule: str, expected: str) -> None:
    # (duration, release, due, weight); ATC: d and c are urgent, then a outweighs b. CR at 0: 42, 200, 3, 1.2.
    # S/OPN at 0: 205, 199, 8, 2. S/RPT+SPT at 0: 205, 199, 8, 9, at 4 d is late. COVERT: a and b are not urgent yet.
    shop = single((5, 0, 210, 60), (1, 0, 200, 1), (4, 0, 12, 8), (9, 0, 11, 30))
    assert sequence(dispatch(shop, rule)) == expected


def test_edd_minimises_the_largest_lateness_of_a_single_machine() -> None:
    # Jackson's rule (Pinedo 2016, theorem 3.2.2), by hand: 6 then 10, 13, 20 against 7, 9, 15, 18.
    plan = dispatch(single((6, 0, 7, 1), (4, 0, 9, 1), (3, 0, 15, 1), (7, 0, 18, 1)), "EDD")
    assert max(a.end - due for a, due in zip(plan, (7, 9, 15, 18), strict=True)) == 2


def test_most_work_remaining_looks_at_the_whole_job() -> None:
    short = Job("short", (Operation("mill", 5),))
    long = Job("long", (Operation("mill", 1), Operation("press", 20)))
    plan = dispatch(JobShop(("mill", "press"), (short, long)), "MWKR")
    assert next(iter(plan)).job == "long"


def first_job(shop: JobShop, rule: str, machine: str = "mill") -> str:
    return next(a.job for a in dispatch(shop, rule) if a.machine == machine)


def test_most_operations_remaining_counts_operations_not_time() -> None:
    long = Job("long", (Operation("mill", 9),))
    many = Job("many", (Operation("mill", 1), Operation("press", 1)))
    assert first_job(JobShop(("mill", "press"), (long, many)), "MOPNR") == "many"


def test_work_in_next_queue_avoids_the_machine_where_much_is_waiting() -> None:
    # Three presses' worth of work waits at the press; the job that goes on to the saw is longer and still first.
    waiting = tuple(Job(f"w{k}", (Operation("press", 9),)) for k in range(3))
    to_press = Job("p", (Operation("mill", 2), Operation("press", 1)))
    to_saw = Job("s", (Operation("mill", 3), Operation("saw", 1)))
    shop = JobShop(("mill", "press", "saw"), (*waiting, to_press, to_saw))
    assert first_job(shop, "PT+WINQ") == "s"
    assert first_job(shop, "SPT") == "p"


def test_only_the_rule_with_set_ups_keeps_the_family() -> None:
    jobs = tuple(
        Job(name, (Operation("mill", 4, family=family),), due=due, weight=weight)
        for name, family, due, weight in (("a", "x", 4, 9), ("b", "y", 9, 5), ("c", "x", 9, 4))
    )
    shop = JobShop(("mill",), jobs, setups={"mill": {("x", "y"): 5, ("y", "x"): 5}})
    assert sequence(dispatch(shop, "ATC")) == "abc"
    assert sequence(dispatch(shop, "ATCS")) == "acb"


def test_jobs_without_a_due_date_come_last_by_every_rule_of_due_dates() -> None:
    shop = JobShop(("mill",), (Job("a", (Operation("mill", 2),)), Job("b", (Operation("mill", 5),), due=9)))
    for rule in ("EDD", "ATC", "ATCS", "CR", "S/OPN", "S/RPT+SPT", "COVERT"):
        assert sequence(dispatch(shop, rule)) == "ba", rule


def test_the_machine_that_ends_an_operation_first_gets_it() -> None:
    step = Operation("mill", 5, (Alternative("press", 3),))
    plan = dispatch(JobShop(("mill", "press"), (Job("a", (step,)), Job("b", (step,)))), "SPT")
    assert [(a.job, a.machine, a.start) for a in plan] == [("b", "mill", 0), ("a", "press", 0)]


def test_no_rule_starts_a_chain_that_would_have_to_wait() -> None:
    chain = Job("chain", (Operation("mill", 3), Operation("press", 2, no_wait=True)))
    shop = JobShop(("mill", "press"), (chain,), stops={"press": (Window(4, 9),)})
    for rule in RULES:
        plan = dispatch(shop, rule)
        check(shop, plan)
        assert [a.start for a in plan if a.job == "chain"] == [6, 9]


@settings(max_examples=200)
@given(rich_shops(), rules, st.floats(0, 1))
def test_every_rule_keeps_all_limits_of_rich_shops(shop: JobShop, rule: str, delay: float) -> None:
    plan = dispatch(shop, rule, delay=delay)
    if plan is None:
        assert any(step.no_wait for job in shop.jobs for step in job.operations)
    else:
        check(shop, plan)
        assert plan == dispatch(shop, rule, delay=delay)


def test_a_large_rich_shop_is_planned_without_a_broken_rule() -> None:
    shop = rich_shop(60, 8, 6, seed=4)
    for rule in ("ATCS", "PT+WINQ"):
        check(shop, dispatch(shop, rule))


def test_an_active_schedule_may_wait_where_a_non_delay_one_may_not() -> None:
    # The urgent job comes at 1; an idle machine starts the other one unless it is allowed to wait.
    shop = single((10, 0, 100, 1), (2, 1, 3, 9))
    assert sequence(dispatch(shop, "EDD", delay=0.0)) == "ab"
    assert sequence(dispatch(shop, "EDD", delay=1.0)) == "ba"


@given(shops(), rules, st.floats(0, 1))
def test_every_rule_gives_a_valid_semi_active_plan(shop: JobShop, rule: str, delay: float) -> None:
    plan = dispatch(shop, rule, delay=delay)
    check(shop, plan)
    assert semi_active(shop, plan) == plan


@given(shops(), rules)
def test_a_non_delay_plan_never_lets_a_machine_wait_beside_work_that_is_ready(shop: JobShop, rule: str) -> None:
    plan = dispatch(shop, rule)
    ends = {(a.job, a.operation): a.end for a in plan}
    for a in plan:
        job = shop.by_name[a.job]
        before = [ends[a.job, a.operation - 1]] if a.operation else [job.release]
        before += [ends[o, len(shop.by_name[o].operations) - 1] for o in job.after if a.operation == 0]
        busy = [(b.start, b.end) for b in plan if b.machine == a.machine and b is not a]
        assert all(any(s <= t < e for s, e in busy) for t in range(max(before), a.start))


@pytest.mark.parametrize("rule", RULES)
def test_where_a_block_fits_nowhere_and_others_queue_behind_it_there_is_no_plan(rule: str) -> None:
    # The second operation has to follow at once, but two people are there for eight hours only, before a closed window.
    hours = Calendar(
        "2026-03-23T08:00",
        (Shift("04:00", "20:00", ("Mon", "Tue", "Wed")), Shift("04:00", "12:00", capacity=1)),
        unit_s=14400,
    )
    first = (Operation("mill", 2, pools={"people": 2}), Operation("mill", 4, pools={"people": 1}, no_wait=True))
    second = (Operation("mill", 3, resumable=True, least_run=3), Operation("mill", 2, pools={"people": 2}))
    shop = JobShop(
        ("mill",),
        (Job("a", first, release=4), Job("b", second, release=4)),
        closed={"mill": (Window(2, 3),)},
        repeat={"mill": 7},
        stops={"mill": (Window(1, 4),)},
        pools=(Pool("people", 2, calendar=hours),),
    )
    assert dispatch(shop, rule) is None
    answer = shop.solve("makespan", method=rule, iterations=1)
    assert (answer.status, answer.plan) == ("no plan", None)
    assert "no place" in answer.reason
