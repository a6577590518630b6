import pytest

from tests.scheduling.booking.test_visits import CLOSE, GARAGE, visit
from twinloop.errors import InputError
from twinloop.scheduling.booking.today import Emergency, LateParts, NoShow, Overrun, react
from twinloop.scheduling.booking.visits import Day, Garage, Visit, day_plan
from twinloop.scheduling.checker import check
from twinloop.scheduling.problem.resources import Material

VISITS = [visit("a", engine=200), visit("b", engine=200), visit("c", engine=200), visit("d", brakes=60)]
LEAVES = {one.asset: one.leaves for one in VISITS}


def plan() -> Day:
    return day_plan(GARAGE, VISITS)


def first(day: Day) -> str:
    return next(a.job for a in day.plan if a.start == 0 and a.end == 200)


def test_who_does_not_come_makes_room_for_others() -> None:
    day = plan()
    late = max(day.plan, key=lambda a: a.start).job
    after = react(GARAGE, day, NoShow(0, late), leaves=LEAVES)
    check(after.shop, after.plan)
    assert late not in {a.job for a in after.plan}
    assert len(after.plan) == len(day.plan) - 1


def test_an_emergency_gets_a_bay_and_who_is_late_for_it_is_told() -> None:
    day = plan()
    after = react(GARAGE, day, Emergency(30, Visit("tow", {"engine": 400}, 30, CLOSE, weight=100)), leaves=LEAVES)
    check(after.shop, after.plan)
    begun = {a.job for a in day.plan if a.start < 30}
    assert {(a.job, a.start) for a in day.plan if a.job in begun} <= {(a.job, a.start) for a in after.plan}
    assert "tow" in {a.job for a in after.plan}
    ends = {a.job: a.end for a in after.plan}
    assert after.left == tuple(sorted(job for job, end in ends.items() if end > CLOSE))
    assert after.left  # 1 000 minutes of engine work for two people until minute 480


def test_work_that_takes_longer_pushes_what_waits_for_its_bay() -> None:
    day = plan()
    asset = first(day)
    after = react(GARAGE, day, Overrun(150, asset, 100), leaves=LEAVES)
    check(after.shop, after.plan)
    assert {a.job: a.end for a in after.plan}[asset] == 300


def test_a_visit_waits_for_parts_that_come_later() -> None:
    garage = Garage(GARAGE.bays, GARAGE.technicians, parts=(Material("pump", 0, ((100, 1),)),))
    day = day_plan(garage, [Visit("a", {"engine": 60}, 0, CLOSE, parts={"pump": 1})])
    assert [a.start for a in day.plan] == [100]
    after = react(garage, day, LateParts(50, "pump", 100, 300), leaves={"a": CLOSE})
    assert [a.start for a in after.plan] == [300]
    assert after.left == ()


@pytest.mark.parametrize(
    ("happening", "message"),
    [
        (NoShow(0, "VEH9"), "workshop: 'VEH9' has no visit today; known: a, b, c, d"),
        (Overrun(150, "VEH9", 5), "workshop: 'VEH9' has no visit today; known: a, b, c, d"),
        (Overrun(470, "d", 5), "workshop: d is in its bay from "),
        (Overrun(0, "d", 0), "workshop: overrun of d: minutes = 0: expected a whole number from 1"),
        (LateParts(0, "pump", 1, 2), "event: material 'pump' is not in the shop; known: none"),
        (Emergency(0, Visit("a", {"engine": 5}, 0, 9)), "event: rush job 'a' is in the shop already"),
    ],
)
def test_what_cannot_have_happened_is_refused_in_one_line(happening, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        react(GARAGE, plan(), happening, leaves=LEAVES)
    assert str(caught.value).startswith(message)
