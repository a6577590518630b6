import polars as pl
import pytest

from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.execution.downtime import DOWNTIME, downtime_frame, realised_plan
from twinloop.scheduling.execution.execution import CALM, Disruptions, execute, realised_frame
from twinloop.scheduling.problem import Job, JobShop, Operation

DISRUPTIONS = Disruptions({"mill": (40.0, 10.0)}, duration_cv=0.2)


def test_what_holds_up_the_only_operation_is_the_downtime_during_it():
    shop = JobShop(("mill",), (Job("a", (Operation("mill", 400),)),))
    plan = Plan.of([Assignment("a", 0, "mill", 0, 400)])
    breakdowns = Disruptions({"mill": (40.0, 10.0)})
    for replication in range(5):
        (ran,) = execute(shop, plan, breakdowns, seed=1, replication=replication)
        down = downtime_frame(["mill"], breakdowns, seed=1, replication=replication, until=ran.end)
        assert down.schema == pl.Schema(DOWNTIME)
        assert (down["end"] - down["start"]).sum() == pytest.approx(ran.end - 400)


def test_machines_that_never_fail_have_none():
    assert downtime_frame(["saw", "mill"], CALM, seed=1, replication=0, until=1e6).rows() == []


def test_an_execution_is_a_plan_in_which_nothing_overlaps():
    shop = rich_shop()
    for replication in range(10):
        ran = realised_frame(execute(shop, rich_plan(), DISRUPTIONS, seed=2, replication=replication))
        plan = realised_plan(ran)
        assert len(plan) == len(ran)
        assert plan.makespan - 1 < ran["end"].max() <= plan.makespan
        for _, rows in plan.frame().sort("start").group_by("machine", maintain_order=True):
            assert (rows["end"][:-1] <= rows["start"][1:]).all()
