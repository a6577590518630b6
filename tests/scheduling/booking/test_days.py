import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.scheduling.booking.days import DayPlan, book
from twinloop.scheduling.booking.slots import Candidate, Task, Workshop
from twinloop.scheduling.question import Limit

QUICK = Limit(deterministic=2.0)


def task(*saving: float, component: str = "pump", skill: str = "engine", minutes: int = 60, **parts: int) -> Task:
    """Done on day d it saves saving[d] of 100 euro."""
    return Task(component, skill, minutes, tuple(100.0 - value for value in saving), 100.0, parts)


def workshop(*bays: int, **changes: object) -> Workshop:
    fields = {"minutes": {"engine": bays, "brakes": bays}, "bays": bays}
    return Workshop(**{**fields, **changes})  # type: ignore[arg-type]


def days(plan: DayPlan) -> dict[str, int]:
    return {asset: day for asset, (day, _) in plan.visits.items()}


def test_where_one_fits_a_day_the_most_is_saved_altogether() -> None:
    found = book([Candidate("a", (task(50, 40),)), Candidate("b", (task(60, 10),))], workshop(60, 60))
    assert days(found) == {"a": 1, "b": 0}
    assert found.cost == pytest.approx(200 - 40 - 60)
    assert found.bound == pytest.approx(found.cost)
    assert found.frame["saving"].to_list() == [40.0, 60.0]


def test_nobody_comes_for_less_than_a_visit_costs_but_two_tasks_may_share_it() -> None:
    pump, disc = task(30, 20), task(25, 15, component="disc", skill="brakes")
    alone = [Candidate("a", (pump,), visit_cost=40.0), Candidate("b", (disc,), visit_cost=40.0)]
    assert days(book(alone, workshop(600, 600))) == {}
    together = book([Candidate("a", (pump, disc), visit_cost=40.0)], workshop(600, 600))
    assert together.visits == {"a": (0, ("pump", "disc"))}
    assert together.cost == pytest.approx(200 - 55 + 40)


def test_a_customer_comes_on_his_days_only() -> None:
    found = book([Candidate("a", (task(50, 40, 30),), days=(2,))], workshop(60, 60, 60))
    assert days(found) == {"a": 2}


def test_an_agreed_day_is_kept_and_takes_its_minutes() -> None:
    agreed = Candidate("a", (task(-20, 50),), fixed=0, visit_cost=5.0)
    found = book([agreed, Candidate("b", (task(60, 10),))], workshop(60, 60))
    assert days(found) == {"a": 0, "b": 1}
    assert found.cost == pytest.approx(100 + 20 + 5 + 90)


def test_work_that_no_day_has_time_for_is_left_out_and_the_bound_stays_tight() -> None:
    found = book(
        [Candidate("a", (task(90, 80, minutes=90), task(50, 40, component="disc", minutes=30)))], workshop(60, 60)
    )
    assert found.visits == {"a": (0, ("disc",))}
    assert found.gap == 0


def test_a_reserve_is_kept_for_what_nobody_booked_but_not_from_what_was_agreed() -> None:
    half = workshop(120, 0, reserve={"engine": 0.5})
    two = [Candidate(name, (task(50, 0),)) for name in "ab"]
    assert len(book(two, half).visits) == 1
    assert len(book([Candidate(name, (task(50, 0),), fixed=0) for name in "ab"], half).visits) == 2


def test_parts_are_used_only_when_they_have_come() -> None:
    found = book(
        [Candidate(name, (task(50, 40, 30, filter=1),)) for name in "abc"],
        workshop(600, 600, 600, parts={"filter": (0, 1, 2)}),
    )
    assert sorted(days(found).values()) == [1, 2]


def brute(candidates: list[Candidate], shop: Workshop) -> float:
    """The least cost over all days and subsets of tasks of every candidate."""
    options = []
    for candidate in candidates:
        allowed = range(shop.days) if candidate.days is None else candidate.days
        subsets = [
            subset
            for size in range(1, len(candidate.tasks) + 1)
            for subset in itertools.combinations(candidate.tasks, size)
        ]
        options.append([(None, ()), *itertools.product(allowed, subsets)])
    best = math.inf
    for choice in itertools.product(*options):
        bays, skills = np.zeros(shop.days), {name: np.zeros(shop.days) for name in shop.minutes}
        used = {name: np.zeros(shop.days) for name in shop.parts}
        cost = 0.0
        for candidate, (day, tasks) in zip(candidates, choice, strict=True):
            cost += sum(one.cost_without for one in candidate.tasks) + (candidate.visit_cost if tasks else 0.0)
            for one in tasks:
                bays[day] += one.minutes
                skills[one.skill][day] += one.minutes
                cost -= one.saving(day)
                for part, count in one.parts.items():
                    used[part][day:] += count
        fits = (bays <= shop.bays).all() and all((skills[name] <= shop.bookable(name)).all() for name in skills)
        if fits and all((used[part] <= shop.parts[part]).all() for part in used):
            best = min(best, cost)
    return best


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Candidate], Workshop]:
    count = draw(st.integers(1, 2))
    minutes = st.integers(0, 4).map(lambda units: 30 * units)

    def row() -> tuple[int, ...]:
        return tuple(draw(minutes) for _ in range(count))

    arrived = tuple(np.cumsum([draw(st.integers(0, 1)) for _ in range(count)]).tolist())
    shop_rows = {"engine": row(), "brakes": row()}
    bays = row()
    if not any(bays) or not any(map(any, shop_rows.values())):
        bays, shop_rows = (60,) * count, {"engine": (60,) * count, "brakes": (0,) * count}
    shop = Workshop(shop_rows, bays, {"filter": arrived}, {"engine": draw(st.sampled_from([0.0, 0.25]))})
    candidates = []
    for name in "abc"[: draw(st.integers(1, 3))]:
        tasks = tuple(
            Task(
                component,
                draw(st.sampled_from(["engine", "brakes"])),
                draw(st.sampled_from([30, 60])),
                tuple(float(draw(st.integers(0, 120))) for _ in range(count)),
                100.0,
                draw(st.sampled_from([{}, {"filter": 1}])),
            )
            for component in ("pump", "disc")[: draw(st.integers(1, 2))]
        )
        open_days = [day for day in range(count) if shop.bays[day]]
        candidates.append(Candidate(name, tasks, draw(st.sampled_from([None, tuple(open_days[:1])])), 10.0))
    return candidates, shop


@given(problems())
def test_small_books_are_planned_as_well_as_trying_everything_does(problem: tuple[list[Candidate], Workshop]) -> None:
    candidates, shop = problem
    found, best = book(candidates, shop, limit=QUICK), brute(candidates, shop)
    assert found.cost == pytest.approx(best, abs=0.02)
    assert found.bound <= best + 0.02


def random_book(count: int, *, span: int = 10, seed: int = 0) -> tuple[list[Candidate], Workshop]:
    """Vehicles with one to three worn components and a workshop that has time for about half of them."""
    rng = np.random.default_rng(seed)
    skills, candidates, needed = ("engine", "brakes", "electric"), [], 0
    for index in range(count):
        tasks = []
        for component in range(int(rng.integers(1, 4))):
            hazard = rng.gamma(1.0, 0.04)
            failing = 1 - np.exp(-hazard * np.arange(span + 1))
            cost = failing[:-1] * 1000 + (1 - failing[:-1]) * 120
            minutes = int(rng.integers(2, 9)) * 15
            needed += minutes
            tasks.append(
                Task(f"c{component}", skills[rng.integers(3)], minutes, tuple(cost), float(failing[-1] * 1000))
            )
        candidates.append(Candidate(f"V{index}", tuple(tasks), visit_cost=40.0))
    bays = needed // (4 * span)
    return candidates, Workshop(dict.fromkeys(skills, (bays // 2,) * span), (bays,) * span)


def test_a_large_book_is_near_its_bound_and_the_same_every_time() -> None:
    candidates, shop = random_book(60)
    found = book(candidates, shop, limit=Limit(deterministic=0.2))
    assert 0 <= found.gap < 0.05
    assert book(candidates, shop, limit=None).cost <= found.bound * 1.1
    again = book(candidates, shop, limit=Limit(deterministic=0.2))
    assert again.visits == found.visits
    used = np.zeros((2, shop.days))
    for asset, (day, components) in found.visits.items():
        candidate = next(one for one in candidates if one.asset == asset)
        chosen = [one for one in candidate.tasks if one.component in components]
        used[0, day] += sum(one.minutes for one in chosen)
        used[1, day] += sum(one.minutes for one in chosen if one.skill == "engine")
    assert (used[0] <= shop.bays).all()
    assert (used[1] <= shop.minutes["engine"]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Workshop({}, (60,)), "workshop: expected a skill and a day with their minutes, got none"),
        (lambda: workshop(0, 0), "workshop: it has no capacity on any day: give it minutes of a bay and of a skill"),
        (lambda: workshop(60, 60, minutes={"engine": (60,)}), "workshop: minutes of engine: expected 2 days as bays"),
        (lambda: workshop(60, -5), "workshop: minutes of engine = -5: expected a whole number from 0"),
        (lambda: workshop(60, 60, parts={"filter": (2, 1)}), "workshop: parts filter: expected how many have come by"),
        (lambda: workshop(60, reserve={"engin": 0.1}), "workshop: reserve: unknown skill 'engin'; did you mean"),
        (lambda: workshop(60, reserve={"engine": 1.0}), "workshop: reserve of engine = 1.0: expected a share from 0"),
        (lambda: Candidate("a", ()), "booking: a: expected a task to do: leave the asset out or give it one"),
        (lambda: Candidate("a", (task(1), task(1))), "booking: a: expected every component once, got pump, pump"),
        (lambda: Candidate("a", (task(1),), visit_cost=-1.0), "booking: a: visit_cost = -1.0: expected a number of"),
        (lambda: Candidate("a", (task(1),), agreed=("disc",)), "booking: a: agreed: expected some of pump, got disc"),
        (lambda: task(math.nan), "booking: pump: expected every cost to be a number, got nan"),
        (lambda: task(1, minutes=0), "booking: pump: minutes = 0: expected a whole number from 1"),
        (lambda: book([Candidate("a", (task(1),))] * 2, workshop(60)), "booking: a: comes twice: put what is to be"),
        (
            lambda: book([Candidate("a", (task(1, skill="paint"),))], workshop(60)),
            "booking: a: pump: unknown skill 'paint'",
        ),
        (
            lambda: book([Candidate("a", (task(1),))], workshop(60, 60)),
            "booking: a: pump: expected a cost for each of 2",
        ),
        (
            lambda: book([Candidate("a", (task(1),), days=(-1,))], workshop(60)),
            "booking: a: day -1: expected one from 0 to 0",
        ),
        (
            lambda: book([Candidate("a", (task(1, 1),), fixed=1)], workshop(60, 0)),
            "booking: a: day 1: the workshop is closed",
        ),
        (
            lambda: book([Candidate(name, (task(1),), fixed=0) for name in "ab"], workshop(60)),
            "booking: day 0: agreed visits need 120 minutes of bays, there are 60: move one of a, b",
        ),
    ],
)
def test_what_cannot_be_booked_is_refused_in_one_line(call, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)
