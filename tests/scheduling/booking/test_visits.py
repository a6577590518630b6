import pytest

from twinloop.errors import InputError
from twinloop.scheduling.booking.visits import Garage, Visit, day_plan
from twinloop.scheduling.checker import check
from twinloop.scheduling.problem import Window
from twinloop.scheduling.problem.resources import Material

GARAGE = Garage(bays=("bay 1", "bay 2"), technicians={"Ada": ("engine", "brakes"), "Bob": ("engine",)})
CLOSE = 480


def visit(asset: str, arrives: int = 0, **minutes: int) -> Visit:
    return Visit(asset, minutes or {"engine": 120}, arrives, CLOSE)


def test_visits_share_bays_and_technicians() -> None:
    visits = [visit("a", engine=120), visit("b", engine=120), visit("c", brakes=60)]
    day = day_plan(GARAGE, visits)
    check(day.shop, day.plan)
    assert day.left == ()
    # Two bays and two people: the brakes wait for Ada, who is first done with nothing else.
    assert day.plan.makespan == 180


def test_a_visit_holds_everybody_it_needs_as_long_as_the_longest_work() -> None:
    day = day_plan(GARAGE, [visit("a", engine=120, brakes=30), visit("b", engine=60)])
    ends = {a.job: a.end - a.start for a in day.plan}
    assert ends == {"a": 120, "b": 60}


def test_what_cannot_be_finished_within_its_day_is_left_for_another() -> None:
    day = day_plan(GARAGE, [visit(name, engine=300) for name in "abc"])
    assert len(day.left) == 1
    assert all(a.end <= CLOSE for a in day.plan)
    assert len(day.plan) == 2


def test_an_absent_technician_and_a_break_leave_less_room() -> None:
    alone = GARAGE.without("Bob")
    day = day_plan(alone, [visit("a", engine=200), visit("b", engine=200)])
    assert [a.start for a in day.plan] == [0, 200]
    broken = Garage(GARAGE.bays, GARAGE.technicians, closed=(Window(180, 240),))
    assert [a.start for a in day_plan(broken, [visit("a", engine=200)]).plan] == [240]


def test_a_visit_waits_for_its_parts() -> None:
    late = Garage(GARAGE.bays, GARAGE.technicians, parts=(Material("pump", 0, ((200, 1),)),))
    one = Visit("a", {"engine": 60}, 0, CLOSE, parts={"pump": 1, "oil": 3})
    assert [a.start for a in day_plan(late, [one]).plan] == [200]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: visit("a", paint=30) and day_plan(GARAGE, [visit("a", paint=30)]), "visit of a: nobody has the skill"),
        (lambda: day_plan(GARAGE, []), "visits: expected at least one, got none"),
        (lambda: Visit("a", {}, 0, 9), "visit of a: expected minutes of a skill, got none"),
        (lambda: Visit("a", {"engine": 0}, 0, 9), "visit of a: minutes of engine = 0: expected a whole number from 1"),
        (lambda: Visit("a", {"engine": 60}, 10, 60), "visit of a: leaves = 60: expected a whole number from 70"),
        (lambda: GARAGE.without("Eve"), "garage: unknown technician 'Eve'; "),
    ],
)
def test_a_day_that_cannot_be_planned_is_refused_in_one_line(call, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)
