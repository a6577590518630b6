"""A workshop's desk: requests to its book, one after another, as somebody asks them who knows no code.

A request is a mapping with an action: availability, book, move, cancel, and what it is about. Each answer says what it
costs and who else moves; what cannot be done is refused in one line and changes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinloop.errors import InputError, nearest, unknown
from twinloop.scheduling.booking.bookings import AGREED, Bookings, Change
from twinloop.scheduling.booking.slots import Candidate, Task

FIELDS = ("action", "asset", "day", "skill", "minutes")
MOST_MINUTES = 10_000


@dataclass(frozen=True, eq=False)
class Desk:
    """A book, and the assets that may come although no risk of theirs is worth a visit. Steps give the next desk."""

    bookings: Bookings
    assets: Sequence[str]

    def ask(self, request: Any) -> tuple["Desk", dict[str, Any]]:
        """The desk after the request, and its answer.

        status: of the asset's visit. day: of it, None without. cost: euro more than before. moved: who else, from which
        day to which. slots: days that could be had, each with cost and number of others that move, the cheapest first.
        Raises InputError for what is no request, and for an unknown action, asset or skill, a day that is past or
        closed, an asset that has a visit already or none to move, and minutes that no day has left.
        """
        given = _fields(request)
        action = given["action"]
        if not isinstance(action, str) or action not in ACTIONS:
            raise unknown("booking: action", str(action), ACTIONS)
        about, step = ACTIONS[action]
        extra = [name for name, value in given.items() if value is not None and name not in ("action", *about)]
        if extra:
            raise InputError(f"booking: {action} goes by {', '.join(about)}, not by {extra[0]}: leave it out")
        return step(self, given)

    def availability(self, given: Mapping[str, Any]) -> tuple["Desk", dict[str, Any]]:
        """Days for an asset's own work, or days with so many minutes of a skill left."""
        if given["skill"] is None:
            asset = self._asset(given)
            if asset not in self.bookings.candidates:
                raise InputError(f"booking: {asset} has no work that is worth a visit: give skill and minutes")
            return self, self._answer(asset, slots=self.bookings.options(asset).to_dicts())
        skill, minutes = self._work(given)
        left = {
            row["day"]: row["bookable"] - row["booked"]
            for row in self.bookings.load().iter_rows(named=True)
            if row["skill"] == skill and row["day"] >= self.bookings.today
        }
        slots = [{"day": day, "cost": 0.0, "moves": 0} for day, free in left.items() if free >= minutes]
        return self, {"status": None, "day": None, "cost": 0.0, "moved": [], "slots": slots}

    def book(self, given: Mapping[str, Any]) -> tuple["Desk", dict[str, Any]]:
        """A day is agreed: for the work that the asset's risks ask for, or for a skill and minutes."""
        asset, day, book = self._asset(given), self._day(given), self.bookings
        if asset in book.plan.visits and book.status(asset) == AGREED:
            raise InputError(
                f"booking: {asset} is booked already, for day {book.plan.visits[asset][0]}: move or cancel that visit"
            )
        if given["skill"] is None and given["minutes"] is None:
            if asset not in book.candidates:
                raise InputError(f"booking: {asset} has no work that is worth a visit: give skill and minutes")
            return self._after(asset, book.move(asset, to=day))
        if asset in book.candidates:
            raise InputError(f"booking: {asset} has work of its own to be done: book it without skill and minutes")
        skill, minutes = self._work(given)
        wish = Task(f"{skill} work", skill, minutes, (0.0,) * book.workshop.days, 0.0)
        return self._after(asset, book.add(Candidate(asset, (wish,), fixed=day)))

    def move(self, given: Mapping[str, Any]) -> tuple["Desk", dict[str, Any]]:
        """Another day for a visit."""
        asset, day = self._asset(given), self._day(given)
        if asset not in self.bookings.plan.visits:
            raise InputError(f"booking: {asset} has no visit that could be moved: book one")
        return self._after(asset, self.bookings.move(asset, to=day))

    def cancel(self, given: Mapping[str, Any]) -> tuple["Desk", dict[str, Any]]:
        """The visit is off."""
        asset = self._asset(given)
        if asset not in self.bookings.candidates:
            raise InputError(f"booking: {asset} has no visit that could be cancelled")
        return self._after(asset, self.bookings.cancel(asset))

    def _after(self, asset: str, change: Change) -> tuple["Desk", dict[str, Any]]:
        desk = Desk(change.bookings, self.assets)
        moved = [
            {name: row[name] for name in ("asset", "from_day", "to_day")}
            for row in change.moved.iter_rows(named=True)
            if row["asset"] != asset
        ]
        return desk, desk._answer(asset, cost=change.cost, moved=moved)

    def _answer(self, asset: str, **known: Any) -> dict[str, Any]:
        visit = self.bookings.plan.visits.get(asset)
        return {
            "status": self.bookings.status(asset),
            "day": None if visit is None else visit[0],
            "cost": 0.0,
            "moved": [],
            "slots": [],
            **known,
        }

    def _asset(self, given: Mapping[str, Any]) -> str:
        asset, known = given["asset"], {*self.assets, *self.bookings.candidates}
        if not isinstance(asset, str) or asset not in known:
            raise InputError(f"booking: unknown asset {asset!r}; {_few(str(asset), sorted(known))}")
        return asset

    def _day(self, given: Mapping[str, Any]) -> int:
        day, book = given["day"], self.bookings
        if isinstance(day, bool) or not isinstance(day, int):
            raise InputError(f"booking: day {day!r}: expected a whole number, 0 for the book's first day")
        if not book.today <= day < book.workshop.days:
            past = "is past" if day < book.today else "is beyond the book"
            raise InputError(f"booking: day {day} {past}: expected one from {book.today} to {book.workshop.days - 1}")
        return day

    def _work(self, given: Mapping[str, Any]) -> tuple[str, int]:
        skill, minutes = given["skill"], given["minutes"]
        known = self.bookings.workshop.minutes
        if not isinstance(skill, str) or skill not in known:
            raise InputError(f"booking: unknown skill {skill!r}; {nearest(str(skill), known)}")
        if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= MOST_MINUTES:
            raise InputError(f"booking: minutes = {minutes!r}: expected a whole number from 1 to {MOST_MINUTES}")
        return skill, minutes


# What each action is about, and what it does.
ACTIONS: Mapping[str, tuple[tuple[str, ...], Callable[[Desk, Mapping[str, Any]], tuple[Desk, dict[str, Any]]]]] = {
    "availability": (("asset", "skill", "minutes"), Desk.availability),
    "book": (("asset", "day", "skill", "minutes"), Desk.book),
    "move": (("asset", "day"), Desk.move),
    "cancel": (("asset",), Desk.cancel),
}


def request_of(text: Any, *, most_characters: int = 10_000) -> dict[str, Any]:
    """A request from JSON. Raises InputError for a text that is none; NaN and infinity are no numbers."""
    if not isinstance(text, str) or not text:
        raise InputError("booking: expected a text, a request as JSON")
    if len(text) > most_characters:
        raise InputError(f"booking: expected a request of at most {most_characters} characters, got {len(text)}")
    try:
        return _fields(json.loads(text, parse_constant=_no_number, object_pairs_hook=_once))
    except json.JSONDecodeError as error:
        raise InputError(f"booking: expected a request as JSON: {error.msg} at character {error.pos}") from None
    except ValueError:
        raise InputError("booking: expected a request as JSON, got a number of thousands of digits") from None
    except RecursionError:
        raise InputError("booking: expected a request as JSON, got a text nested far too deep") from None


def _fields(request: Any) -> dict[str, Any]:
    if not isinstance(request, Mapping) or "action" not in request:
        raise InputError(f"booking: expected an object with an action, one of {', '.join(ACTIONS)}")
    strange = [name for name in request if name not in FIELDS]
    if strange:
        raise unknown("booking: request", str(strange[0]), FIELDS)
    return {name: request.get(name) for name in FIELDS}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given = dict(pairs)
    if len(given) < len(pairs):
        raise InputError("booking: expected each field of a request once")
    return given


def _no_number(name: str) -> float:
    raise InputError(f"booking: expected numbers, got {name}")


def _few(name: str, known: Sequence[str]) -> str:
    """What was probably meant, or the first of those that there are."""
    told = nearest(name, known)
    return told if told.startswith("did") or len(known) <= 6 else f"known: {', '.join(known[:6])} …"
