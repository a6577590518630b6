import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.booking.test_visits import CLOSE, GARAGE, visit
from twinloop.errors import InputError
from twinloop.scheduling.booking.today import Absence, Emergency, LateParts, NoShow, Overrun, react
from twinloop.scheduling.booking.visits import Day, Garage, Visit, day_plan
from twinloop.scheduling.checker import check
from twinloop.scheduling.problem.resources import Material

VISITS = [visit("a", engine=200), visit("b", engine=200), visit("c", engine=200), visit("d", brakes=60)]


def plan() -> Day:
    return day_plan(GARAGE, VISITS)


def first(day: Day) -> str:
    return next(a.job for a in day.plan if a.start == 0 and a.end == 200)


def test_who_does_not_come_makes_room_for_others() -> None:
    day = plan()
    late = max(day.plan, key=lambda a: a.start).job
    after = react(GARAGE, day, NoShow(0, late), visits=VISITS)
    check(after.shop, after.plan)
    assert late not in {a.job for a in after.plan}
    assert len(after.plan) == len(day.plan) - 1


def test_an_emergency_gets_a_bay_and_who_is_late_for_it_is_told() -> None:
    day = plan()
    after = react(GARAGE, day, Emergency(30, Visit("tow", {"engine": 400}, 30, CLOSE, weight=100)), visits=VISITS)
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
    after = react(GARAGE, day, Overrun(150, asset, 100), visits=VISITS)
    check(after.shop, after.plan)
    assert {a.job: a.end for a in after.plan}[asset] == 300


def test_a_visit_waits_for_parts_that_come_later() -> None:
    garage = Garage(GARAGE.bays, GARAGE.technicians, parts=(Material("pump", 0, ((100, 1),)),))
    waiting = [Visit("a", {"engine": 60}, 0, CLOSE, parts={"pump": 1})]
    day = day_plan(garage, waiting)
    assert [a.start for a in day.plan] == [100]
    after = react(garage, day, LateParts(50, "pump", 100, 300), visits=waiting)
    assert [a.start for a in after.plan] == [300]
    assert after.left == ()


def test_who_stays_takes_over_when_a_technician_leaves() -> None:
    visits = [visit("a", engine=100), visit("b", engine=200), visit("c", engine=100)]
    day = day_plan(GARAGE, visits)
    assert {(a.job, a.start) for a in day.plan} == {("a", 0), ("b", 100), ("c", 0)}
    after = react(GARAGE, day, Absence(50, "Bob"), visits=visits)
    check(after.shop, after.plan)
    # Ada goes on with one of two that run; the other is broken off, and the one that waited comes behind.
    assert after.left == ("c",)
    assert {(a.job, a.start, a.end) for a in after.plan} == {("a", 0, 100), ("b", 100, 300)}


def test_what_nobody_else_can_do_needs_another_day() -> None:
    after = react(GARAGE, plan(), Absence(0, "Ada"), visits=VISITS)
    check(after.shop, after.plan)
    assert "d" in after.left  # brakes
    assert "d" not in {a.job for a in after.plan}
    assert [a.start for a in after.plan] == [0, 200, 400]
    assert after.left == tuple(sorted(["d", max(after.plan, key=lambda a: a.end).job]))


def test_parts_that_are_used_before_somebody_leaves_are_not_used_again() -> None:
    garage = Garage(GARAGE.bays, GARAGE.technicians, parts=(Material("pump", 1, ((150, 1), (420, 1))),))
    visits = [Visit(name, {"engine": 60}, 0, CLOSE, parts={"pump": 1}) for name in "abc"]
    day = day_plan(garage, visits)
    assert [a.start for a in day.plan] == [0, 150, 420]
    after = react(garage, day, Absence(160, "Ada"), visits=visits)
    check(after.shop, after.plan)
    assert [a.start for a in after.plan] == [150, 420]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    minutes=st.lists(st.tuples(st.sampled_from(["engine", "brakes"]), st.integers(10, 200)), min_size=1, max_size=6),
    time=st.integers(0, CLOSE),
    who=st.sampled_from(["Ada", "Bob"]),
    overrun=st.integers(0, 60),
)
def test_after_an_absence_nobody_is_forgotten_and_nothing_begins_in_the_past(minutes, time, who, overrun) -> None:  # type: ignore[no-untyped-def]
    visits = [visit(f"v{place}", **{skill: length}) for place, (skill, length) in enumerate(minutes)]
    day = day_plan(GARAGE, visits)
    if overrun and len(day.plan):
        day = react(
            GARAGE, day, Overrun(min(a.start for a in day.plan), next(iter(day.plan)).job, overrun), visits=visits
        )
    after = react(GARAGE, day, Absence(time, who), visits=visits)
    was = {a.job: a for a in day.plan}
    now = {a.job: a for a in after.plan}
    ended = {job for job, a in was.items() if a.end <= time}
    assert {*now, *after.left, *ended} == {*was}
    assert all(a.start >= time or was[job] == a for job, a in now.items())
    if now:
        check(after.shop, after.plan)
        brakes = sum("brakes" in one.minutes for one in visits if one.asset in now)
        assert who == "Bob" or not brakes


@pytest.mark.parametrize(
    ("happening", "message"),
    [
        (NoShow(0, "VEH9"), "workshop: 'VEH9' has no visit today; known: a, b, c, d"),
        (Overrun(150, "VEH9", 5), "workshop: 'VEH9' has no visit today; known: a, b, c, d"),
        (Overrun(470, "d", 5), "workshop: d is in its bay from "),
        (Overrun(0, "d", 0), "workshop: overrun of d: minutes = 0: expected a whole number from 1"),
        (LateParts(0, "pump", 1, 2), "event: material 'pump' is not in the shop; known: none"),
        (Absence(60, "Eve"), "garage: unknown technician 'Eve'"),
        (Absence(-1, "Bob"), "workshop: absence of Bob: time = -1: expected a whole number from 0"),
        (Emergency(0, Visit("a", {"engine": 5}, 0, 9)), "event: rush job 'a' is in the shop already"),
    ],
)
def test_what_cannot_have_happened_is_refused_in_one_line(happening, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        react(GARAGE, plan(), happening, visits=VISITS)
    assert str(caught.value).startswith(message)
