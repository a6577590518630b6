import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scheduling.booking.test_days import random_book, task, workshop
from twinloop.errors import InputError
from twinloop.scheduling.booking.bookings import AGREED, PROPOSED, WAITS, Bookings
from twinloop.scheduling.booking.slots import Candidate


def bookings(**changes: object) -> Bookings:
    """Two vehicles, of which one fits each day: b earlier, as it loses more by waiting."""
    return Bookings.of(
        [Candidate("a", (task(50, 40, 30),)), Candidate("b", (task(60, 10, 5),))], workshop(60, 60, 60), **changes
    )


def days(book: Bookings) -> dict[str, int]:
    return {asset: day for asset, (day, _) in book.plan.visits.items()}


def test_a_move_tells_what_it_costs_and_who_else_moves() -> None:
    change = bookings().move("b", to=1)
    assert days(change.bookings) == {"a": 0, "b": 1}
    assert change.cost == pytest.approx(60 - 10 + 40 - 50)
    assert change.moved.rows() == [("a", 1, 0, -10.0), ("b", 0, 1, 50.0)]
    assert change.bookings.status("b") == AGREED
    assert days(bookings()) == {"a": 1, "b": 0}


def test_to_agree_on_what_is_planned_costs_nothing_whatever_is_left_undone() -> None:
    # The second task does not fit beside the first and stays undone.
    two = Candidate("a", (task(50, 40), task(30, 20, component="disc")))
    book = Bookings.of([two], workshop(60, 60)).accept("a")
    assert book.move("a", to=0).cost == pytest.approx(0)
    assert book.plan.visits["a"] == (0, ("pump",))
    assert book.move("a", to=1).cost == pytest.approx(10)


def test_what_was_agreed_does_not_move_for_others() -> None:
    book = bookings().accept("a")
    assert book.status("a") == AGREED
    assert days(book.move("b", to=2).bookings) == {"a": 1, "b": 2}
    with pytest.raises(
        InputError, match="day 1: agreed visits need 120 minutes of bays, there are 60: move one of a, b"
    ):
        book.move("b", to=1)


def test_options_are_the_days_with_their_price_the_cheapest_first() -> None:
    options = bookings().accept("a").options("b")
    assert options.rows() == [(0, 0.0, 0), (2, 55.0, 0)]


def test_a_day_on_which_its_customer_cannot_come_is_not_offered() -> None:
    book = Bookings.of([Candidate("a", (task(10, 1, 5),), days=(1, 2))], workshop(60, 60, 60))
    assert book.options("a")["day"].to_list() == [2, 1]
    assert set(book.cancel("a").bookings.options("a")["day"]) == {0, 1, 2}


def test_nobody_moves_for_less_than_stability_is_worth() -> None:
    free = bookings(stability=30.0).cancel("b")
    assert days(free.bookings) == {"a": 1}
    assert days(bookings(stability=1.0).cancel("b").bookings) == {"a": 0}


def test_a_declined_day_is_not_proposed_again() -> None:
    change = bookings().decline("b")
    assert days(change.bookings)["b"] != 0
    again = change.bookings.decline("b").bookings
    assert days(again)["b"] == 2 if "b" in days(again) else again.status("b") == WAITS
    last = again.decline("b").bookings if "b" in days(again) else again
    assert last.waiting().filter(asset="b")["reason"].to_list() == ["no day is left that its customer takes"]


def test_a_customer_who_never_answers_loses_the_day() -> None:
    book = Bookings.of(
        [Candidate("a", (task(10, 20, 50, 40),)), Candidate("b", (task(0, 0, 45, 10),))],
        workshop(60, 60, 60, 60),
        answer_days=1,
    )
    assert days(book)["a"] == 3 or days(book)["a"] == 2
    silent = next(asset for asset, day in days(book).items() if day == 2)
    later = book.advance(1).bookings
    assert days(later)[silent] == 2
    assert days(later.advance(2).bookings).get(silent) != 2


def test_a_day_that_is_over_takes_its_visits_with_it() -> None:
    book = bookings().accept("b").advance(1).bookings
    assert "b" not in book.candidates
    assert days(book) == {"a": 1}
    with pytest.raises(InputError, match="booking: a: day 0: expected one from 1 to 2; earlier ones are past"):
        book.move("a", to=0)


def test_an_emergency_takes_its_day_and_the_proposals_give_way() -> None:
    change = bookings().add(Candidate("c", (task(90, 0, 0),), fixed=0))
    assert days(change.bookings)["c"] == 0
    assert days(change.bookings)["a"] == 1
    assert change.bookings.status("b") in (PROPOSED, WAITS)
    assert change.bookings.plan.visits.get("b", (2,))[0] == 2


def test_fewer_people_make_agreed_visits_proposals_again_the_least_valuable_first() -> None:
    book = bookings().move("b", to=0).bookings.accept("a")
    less = workshop(60, 0, 60)
    change = book.changed(less)
    assert change.bookings.status("b") == AGREED
    assert days(change.bookings) == {"a": 2, "b": 0}


def test_calendar_waiting_list_and_load_say_what_is_booked() -> None:
    book = Bookings.of([Candidate(name, (task(50, 0),)) for name in "abc"], workshop(120, 0))
    assert book.calendar()["day"].to_list() == [0, 0]
    assert book.waiting()["reason"].to_list() == ["no room on a day on which it is worth it"]
    assert book.load().filter(skill="engine").rows() == [("engine", 0, 120, 120, 120), ("engine", 1, 0, 0, 0)]


def test_faces_show_visits_load_and_choices_with_every_text_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    book = Bookings.of(
        [Candidate(hostile, (task(50, 40, component="<b>"),)), Candidate("b", (task(60, 10),))], workshop(60, 60)
    ).accept("b")
    face, slots = book._repr_html_(), book.slots(hostile)._repr_html_()
    for html in (face, slots):
        assert "<script" not in html
        assert "&lt;script&gt;" in html
    assert "✓ b: pump (60 min)" in face
    assert "60 / 60" in face
    assert "day 1" in slots
    assert slots.count("radio") == len(book.choices(hostile))


def test_selectable_slots_say_who_else_moves() -> None:
    html = bookings().slots("b")._repr_html_()
    assert "a: day 1 → day 0" in html
    assert "nobody else moves" in html


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["accept", "decline", "cancel", "day"])), max_size=8))
def test_whatever_customers_do_the_workshop_is_never_overbooked(steps: list[tuple[int, str]]) -> None:
    candidates, shop = random_book(6, span=4, seed=1)
    book = Bookings.of(candidates, shop, seed=1)
    for number, step in steps:
        asset = f"V{number}"
        if step == "day":
            book = book.advance(min(book.today + 1, shop.days - 1)).bookings
        elif asset not in book.candidates or book.status(asset) != PROPOSED:
            continue
        elif step == "accept":
            book = book.accept(asset)
        else:
            book = getattr(book, step)(asset).bookings
        load = book.load()
        assert (load["booked"] <= load["minutes"]).all()
        assert all(day >= book.today for _, (day, _) in book.plan.visits.items())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bookings().move("VEH9", to=1), "booking: unknown asset 'VEH9'; "),
        (lambda: bookings().move("a", to=3), "booking: a: day 3: expected one from 0 to 2; earlier ones are past"),
        (lambda: bookings().move("a", to=-1), "booking: a: day -1: expected one from 0 to 2"),
        (lambda: bookings().add(Candidate("a", (task(1, 1, 1),))), "booking: a is booked already, for day 1: move or"),
        (lambda: bookings().accept("a").accept("a"), "booking: a is agreed: expected one with a proposed day"),
        (lambda: bookings().cancel("a").bookings.cancel("a"), "booking: a has no visit that could be cancelled: it is"),
        (lambda: bookings().advance(1).bookings.advance(0), "booking: today = 0: expected a day from 1 to 2"),
        (lambda: bookings().advance("1"), "booking: today = 1: expected a day from 0 to 2"),  # type: ignore[arg-type]
        (lambda: bookings().advance(3), "booking: today = 3: expected a day from 0 to 2"),
        (lambda: bookings().changed(workshop(60)), "booking: expected a workshop of 3 days, got 1"),
        (
            lambda: Bookings.of([Candidate("a", (task(1, 1),))], workshop(60, 0)).move("a", to=1),
            "booking: a: day 1: the workshop is closed: choose a day on which it has a bay",
        ),
    ],
)
def test_a_step_that_cannot_be_is_refused_in_one_line(call, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)
