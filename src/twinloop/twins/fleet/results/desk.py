"""The workshop's book at its desk, for whoever asks on the command line: nothing of what is asked is kept."""

from functools import cached_property
from typing import Any

from twinloop.numbers import count, quantity
from twinloop.reporting.tables import Table
from twinloop.scheduling.booking.desk import Desk
from twinloop.scheduling.booking.records import book_of
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.results.base import CURRENCY, FleetOutputs


class OpenBook(FleetOutputs):
    """The book that schedule left, and answers to what is asked of it."""

    @cached_property
    def record(self) -> dict[str, Any]:
        """first_day, assets and the book as plain values."""
        found: dict[str, Any] = self.json(paths.SCHEDULE / "book.json")
        return found

    @cached_property
    def desk(self) -> Desk:
        """Who may be asked about."""
        return Desk(book_of(self.record["book"], str(paths.SCHEDULE / "book.json")), self.record["assets"])

    def whole(self) -> dict[str, Any]:
        """Every visit by day, who waits, and how full each skill is."""
        book = self.desk.bookings
        tables = {"visits": book.calendar(), "waiting": book.waiting(), "load": book.load()}
        return {"first_day": self.record["first_day"]} | {name: frame.to_dicts() for name, frame in tables.items()}

    def days_of(self, asset: str) -> dict[str, Any]:
        """The days that a vehicle could have, each with its cost and how many others would move.

        Raises InputError for an unknown vehicle, and for one without work.
        """
        return self._asked({"action": "availability", "asset": asset})

    def moved(self, asset: str, *, to: int) -> dict[str, Any]:
        """What it would cost to have a vehicle come on a day, and who else would move.

        Raises InputError for what the desk refuses.
        """
        visits = self.desk.bookings.plan.visits
        return self._asked({"action": "move" if asset in visits else "book", "asset": asset, "day": to})

    def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"asset": request["asset"], **self.desk.ask(request)[1]}

    def shown(self, answer: dict[str, Any]) -> Table:
        """An answer for a terminal, its days by the number that the calendar gives them too."""
        if "visits" in answer:
            return self._calendar(answer)
        return self._slots(answer) if answer["slots"] else self._change(answer)

    def _calendar(self, answer: dict[str, Any]) -> Table:
        rows = [
            (
                self._day(row["day"]),
                row["asset"],
                ", ".join(row["components"]),
                f"{count(row['minutes'])} min",
                row["status"],
                quantity(row["saving"], CURRENCY),
            )
            for row in answer["visits"]
        ]
        rows += [
            ("waiting", row["asset"], row["reason"], "", "", quantity(row["saving"], CURRENCY))
            for row in answer["waiting"]
        ]
        nothing = ("none", *[""] * 5)
        return Table.of(("day", "vehicle", "work", "time", "status", "expected to be saved"), rows or (nothing,))

    def _slots(self, answer: dict[str, Any]) -> Table:
        rows = [
            (self._day(slot["day"]), quantity(slot["cost"], CURRENCY, sign=True), count(slot["moves"]))
            for slot in answer["slots"]
        ]
        return Table.of((f"{answer['asset']} could come", "expected cost more than now", "others that move"), rows)

    def _change(self, answer: dict[str, Any]) -> Table:
        rows = [(answer["asset"], self._day(answer["day"]), quantity(answer["cost"], CURRENCY, sign=True))]
        rows += [
            (one["asset"], f"{self._day(one['from_day'])} → {self._day(one['to_day'])}", "") for one in answer["moved"]
        ]
        return Table.of(("vehicle", "day", "expected cost more than now"), rows)

    def _day(self, day: int | None) -> str:
        return "no visit" if day is None else f"{day} (day {self.record['first_day'] + day})"
