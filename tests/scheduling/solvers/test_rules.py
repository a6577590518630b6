import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scheduling.shops import shops, single
from twinloop.contracts import Plan
from twinloop.scheduling.checker import check
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.settings import RULE_NAMES, RuleName
from twinloop.scheduling.solution import semi_active
from twinloop.scheduling.solvers.rules import RULES, dispatch

rules = st.sampled_from(RULE_NAMES)


def sequence(plan: Plan) -> str:
    return "".join(a.job for a in plan)


def test_every_configurable_rule_exists() -> None:
    assert tuple(RULES) == RULE_NAMES


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("SPT", "bcad"), ("LPT", "dacb"), ("FIFO", "abcd"), ("EDD", "dcba"), ("MWKR", "dacb"), ("ATC", "dcab")],
)
def test_each_rule_orders_a_single_machine_as_its_name_says(rule: RuleName, expected: str) -> None:
    # (duration, release, due, weight); ATC: d and c are urgent, then a outweighs b.
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


def test_an_active_schedule_may_wait_where_a_non_delay_one_may_not() -> None:
    # The urgent job comes at 1; an idle machine starts the other one unless it is allowed to wait.
    shop = single((10, 0, 100, 1), (2, 1, 3, 9))
    assert sequence(dispatch(shop, "EDD", delay=0.0)) == "ab"
    assert sequence(dispatch(shop, "EDD", delay=1.0)) == "ba"


@given(shops(), rules, st.floats(0, 1))
def test_every_rule_gives_a_valid_semi_active_plan(shop: JobShop, rule: RuleName, delay: float) -> None:
    plan = dispatch(shop, rule, delay=delay)
    check(shop, plan)
    assert semi_active(shop, plan) == plan


@given(shops(), rules)
def test_a_non_delay_plan_never_lets_a_machine_wait_beside_work_that_is_ready(shop: JobShop, rule: RuleName) -> None:
    plan = dispatch(shop, rule)
    ends = {(a.job, a.operation): a.end for a in plan}
    for a in plan:
        job = shop.by_name[a.job]
        before = [ends[a.job, a.operation - 1]] if a.operation else [job.release]
        before += [ends[o, len(shop.by_name[o].operations) - 1] for o in job.after if a.operation == 0]
        busy = [(b.start, b.end) for b in plan if b.machine == a.machine and b is not a]
        assert all(any(s <= t < e for s, e in busy) for t in range(max(before), a.start))
