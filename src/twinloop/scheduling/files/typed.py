"""Times as people type them for a tool: a date, a length like 1:30, 90 min or 2 h, or whole minutes."""

import re
from typing import NamedTuple

from twinloop.errors import InputError
from twinloop.scheduling.clock import Clock, parsed_moment
from twinloop.scheduling.files.cells import HOURS, WITH_UNIT, Cells
from twinloop.scheduling.files.words import UNIT_NAMES

LENGTH = "whole minutes, 1:30, or a number with its unit (90 min, 2 h)"
BETWEEN = re.compile(r"\s*(?:\.\.\.?|…|/|-|–|\bto\b|\bbis\b)\s*")


class Typed(NamedTuple):
    """Reads what is typed beside a file: `clock` of its dates; minutes: whether it counts in them."""

    clock: Clock | None
    minutes: bool

    def length(self, text: str, where: str) -> int:
        """Minutes, rounded up; whole units of a file that does not name its own. Raises InputError."""
        if text.isdecimal():
            return int(text)
        if not self.minutes:
            raise InputError(f"{where}: {text!r}: expected a whole number, as the file does not name its units")
        if not _is_length(text):
            raise InputError(f"{where}: {text!r}: expected {LENGTH}")
        return Cells(None).length(text, "length", where, None)

    def instant(self, text: str, where: str, *, last: bool = False) -> int:
        """Minutes from the start: of a date, or of a length behind it. Raises InputError.

        last: a date without a time is its end.
        """
        if self.minutes and parsed_moment(text) is not None:
            return Cells(self.clock).instant(text, "time", where, None, last=last)
        if not text.isdecimal() and self.minutes and not _is_length(text):
            raise InputError(f"{where}: {text!r}: expected a date like 2026-12-01T14:00, or {LENGTH} from the start on")
        return self.length(text, where)

    def span(self, text: str, where: str) -> tuple[int, int]:
        """Start and end of "FROM-TO", "FROM..TO" or "FROM to TO". Raises InputError for what can be cut in two ways."""
        ways = [
            (text[: cut.start()].strip(), text[cut.end() :].strip())
            for cut in BETWEEN.finditer(text)
            if self._is_time(text[: cut.start()].strip()) and self._is_time(text[cut.end() :].strip())
        ]
        both = [way for way in ways if _is_date(way[0]) == _is_date(way[1])]
        if len(both) != 1:
            raise InputError(
                f"{where}: expected FROM..TO, both as dates like 2026-12-01T22:00, or both as {LENGTH} from the start "
                "on"
            )
        ((first, last),) = both
        return self.instant(first, where), self.instant(last, where, last=True)

    def _is_time(self, text: str) -> bool:
        return text.isdecimal() or (self.minutes and (_is_length(text) or _is_date(text)))


def _is_date(text: str) -> bool:
    return parsed_moment(text) is not None


def _is_length(text: str) -> bool:
    parts = WITH_UNIT.fullmatch(text.lower())
    return HOURS.fullmatch(text) is not None or (parts is not None and parts[2] in UNIT_NAMES)
