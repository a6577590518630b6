"""The desk of a workshop: requests in plain values, and a book that survives being written down."""

import json

import pytest

from tests.scheduling.booking.test_days import task, workshop
from twinloop.errors import InputError
from twinloop.scheduling.booking.bookings import Bookings
from twinloop.scheduling.booking.desk import Desk, request_of
from twinloop.scheduling.booking.records import book_of, book_record
from twinloop.scheduling.booking.slots import Candidate

HOSTILE = "<script>alert(1)</script>"


def desk() -> Desk:
    """Two vehicles with work, of which one fits each day; two more that may come; day 3 is closed."""
    book = Bookings.of(
        [Candidate("a", (task(50, 40, 30, 20),)), Candidate("b", (task(60, 10, 5, 0),))], workshop(60, 60, 60, 0)
    )
    return Desk(book, ("a", "b", "c", HOSTILE))


def test_a_day_is_asked_for_agreed_moved_and_given_back() -> None:
    first = desk()
    _, free = first.ask({"action": "availability", "asset": "b"})
    assert free["slots"][0] == {"day": 0, "cost": 0.0, "moves": 0}
    assert [slot["day"] for slot in free["slots"]] == [0, 1, 2]
    booked, answer = first.ask({"action": "book", "asset": "b", "day": 1})
    assert answer["status"] == "agreed"
    assert answer["moved"] == [{"asset": "a", "from_day": 1, "to_day": 0}]
    assert answer["cost"] == pytest.approx(60 - 10 + 40 - 50)
    moved, answer = booked.ask({"action": "move", "asset": "b", "day": 2})
    assert (answer["status"], answer["day"]) == ("agreed", 2)
    gone, answer = moved.ask({"action": "cancel", "asset": "b"})
    assert (answer["status"], answer["day"]) == ("waiting", None)
    assert gone.ask({"action": "book", "asset": "b", "day": 1})[1]["status"] == "agreed"
    assert first.bookings.plan.visits["b"][0] == 0, "a desk never changes"


def test_work_of_ones_own_takes_minutes_of_a_skill() -> None:
    # Proposals give way; agreed visits do not.
    full = desk().ask({"action": "book", "asset": "b", "day": 0})[0]
    booked, answer = full.ask({"action": "book", "asset": "c", "day": 1, "skill": "engine", "minutes": 30})
    assert (answer["status"], answer["day"]) == ("agreed", 1)
    _, left = booked.ask({"action": "availability", "skill": "engine", "minutes": 31})
    assert 1 not in [slot["day"] for slot in left["slots"]]
    assert booked.bookings.calendar().filter(asset="c")["components"].to_list() == [["engine work"]]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"action": "book", "asset": "z", "day": 1}, "unknown asset 'z'; known: "),
        ({"action": "book", "asset": None, "day": 1}, "unknown asset None"),
        ({"action": "book", "asset": "a", "day": -1}, "day -1 is past: expected one from 0 to 3"),
        ({"action": "book", "asset": "a", "day": 9}, "day 9 is beyond the book"),
        ({"action": "book", "asset": "a", "day": 3}, "day 3: the workshop is closed: choose a day on which"),
        ({"action": "book", "asset": "a", "day": 1.5}, "day 1.5: expected a whole number"),
        ({"action": "book", "asset": "a", "day": True}, "day True: expected a whole number"),
        ({"action": "book", "asset": "c", "day": 1}, "c has no work that is worth a visit: give skill and minutes"),
        ({"action": "book", "asset": "c", "day": 1, "skill": "welder", "minutes": 5}, "unknown skill 'welder'"),
        (
            {"action": "book", "asset": "c", "day": 1, "skill": "engine", "minutes": 0},
            "minutes = 0: expected a whole",
        ),
        (
            {"action": "book", "asset": "c", "day": 1, "skill": "engine", "minutes": 90},
            "agreed visits need 90 minutes",
        ),
        ({"action": "book", "asset": "a", "day": 1, "skill": "engine", "minutes": 9}, "a has work of its own"),
        ({"action": "move", "asset": "c", "day": 1}, "c has no visit that could be moved"),
        ({"action": "cancel", "asset": "c"}, "c has no visit that could be cancelled"),
        ({"action": "availability", "asset": "c"}, "c has no work that is worth a visit"),
        ({"action": "delete", "asset": "a"}, "action: unknown name 'delete'; known: availability, book, move, cancel"),
        ({"action": ["book"], "asset": "a", "day": 1}, "action: unknown name"),
        ({"action": "move", "asset": "a", "day": 2, "minutes": 9}, "move goes by asset, day, not by minutes"),
        ({"action": "cancel", "asset": "a", "day": 2}, "cancel goes by asset, not by day: leave it out"),
        ({"action": "book", "asset": "a", "date": 1}, "request: unknown name 'date'"),
        ([1], "expected an object with an action"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(request_, told) -> None:
    with pytest.raises(InputError) as caught:
        desk().ask(request_)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_vehicle_is_booked_once() -> None:
    booked, _ = desk().ask({"action": "book", "asset": "a", "day": 1})
    with pytest.raises(InputError, match="a is booked already, for day 1: move or cancel that visit"):
        booked.ask({"action": "book", "asset": "a", "day": 2})
    own, _ = desk().ask({"action": "cancel", "asset": "b"})
    own, _ = own.ask({"action": "book", "asset": "c", "day": 2, "skill": "engine", "minutes": 5})
    with pytest.raises(InputError, match="c is booked already, for day 2"):
        own.ask({"action": "book", "asset": "c", "day": 2, "skill": "engine", "minutes": 5})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected a text"),
        (None, "expected a text"),
        ("{", "expected a request as JSON"),
        ("[1]", "expected an object with an action"),
        ('{"action": "book", "asset": "a", "day": NaN}', "expected numbers, got NaN"),
        ('{"action": "book", "asset": "a", "day": ' + "1" * 5000 + "}", "a number of thousands of digits"),
        ('{"action": "book", "asset": "a", "action": "cancel"}', "expected each field of a request once"),
        ("[" * 9000, "nested far too deep"),
        ('{"a": "' + "x" * 20_000 + '"}', "at most 10000 characters"),
    ],
)
def test_what_is_no_request_is_refused(text, told) -> None:
    with pytest.raises(InputError, match=told):
        request_of(text)


def test_a_name_with_markup_stays_text_on_the_calendar() -> None:
    full = desk().ask({"action": "cancel", "asset": "b"})[0]
    booked, answer = full.ask({"action": "book", "asset": HOSTILE, "day": 2, "skill": "engine", "minutes": 5})
    assert answer["status"] == "agreed"
    assert "<script" not in booked.bookings._repr_html_()
    assert "&lt;script&gt;" in booked.bookings._repr_html_()


def test_a_book_that_was_written_down_goes_on_as_it_was() -> None:
    book = desk().bookings.accept("b").decline("a").bookings
    again = book_of(json.loads(json.dumps(book_record(book))), "x")
    assert again.calendar().equals(book.calendar())
    assert again.load().equals(book.load())
    assert book_record(again) == book_record(book)
    assert again.options("a").equals(book.options("a"))
    assert book_record(again.advance(1).bookings) == book_record(book.advance(1).bookings)


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: [],
        lambda record: {**record, "format": 2},
        lambda record: {key: value for key, value in record.items() if key != "offers"},
        lambda record: {**record, "candidates": [{"asset": "a"}]},
        lambda record: {**record, "plan": {**record["plan"], "visits": 7}},
        lambda record: {**record, "limit": {"hours": 1}},
    ],
)
def test_a_damaged_book_is_refused(damage) -> None:
    with pytest.raises(InputError, match=r"^book: x: "):
        book_of(damage(book_record(desk().bookings)), "x")
