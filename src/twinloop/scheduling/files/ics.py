"""A plan as a calendar that mail programs take: RFC 5545, one event for each operation, times in UTC.

Content lines end with CRLF and are folded at 75 octets without splitting a character; texts are escaped.
"""

import hashlib
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from twinloop.files import atomic
from twinloop.scheduling.clock import Clock, lasting

OCTETS = 75
PRODUCT = "-//twinloop//plan//EN"


def write_ics(path: str | Path, operations: pl.DataFrame, clock: Clock, *, stamp: datetime) -> None:
    """Write a plan (rows as `frames.PLAN`); stamp: when it was made."""
    content = "".join(f"{line}\r\n" for raw in _lines(operations, clock, stamp) for line in folded(raw))
    with atomic(path) as temporary:
        temporary.write_bytes(content.encode())


def escaped(text: str) -> str:
    r"""A text value (RFC 5545, 3.3.11); what does not print becomes a space.

    >>> print(escaped("saw; then, mill"))
    saw\; then\, mill
    """
    clean = "".join(" " if unicodedata.category(c).startswith("C") and c != "\n" else c for c in text)
    for sign, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        clean = clean.replace(sign, written)
    return clean


def folded(line: str) -> Iterator[str]:
    """A content line in pieces of at most 75 octets, those after the first behind a space (RFC 5545, 3.1)."""
    piece, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > OCTETS:
            yield piece
            piece, size = " ", 1
        piece, size = piece + character, size + octets
    yield piece


def _lines(operations: pl.DataFrame, clock: Clock, stamp: datetime) -> Iterator[str]:
    counts = dict(operations.group_by("job").len().iter_rows())
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN")
    for row in operations.iter_rows(named=True):
        place = f"operation {row['operation'] + 1} of {counts[row['job']]}"
        about = [f"{place} on {row['machine']}"]
        if row["setup"]:
            about.append(f"set-up before it: {lasting(row['setup'])}")
        if row["due"] is not None:
            late = f", {lasting(row['late'])} late" if row["late"] else ""
            about.append(f"job due {clock.show(row['due'], until=True)}{late}")
        name = hashlib.sha256(f"{row['job']}\x00{row['operation']}".encode()).hexdigest()[:32]
        yield "BEGIN:VEVENT"
        yield f"UID:{name}@twinloop"
        yield f"DTSTAMP:{_utc(stamp)}"
        yield f"DTSTART:{_utc(clock.moment(row['start']))}"
        yield f"DTEND:{_utc(clock.moment(row['end']))}"
        yield f"SUMMARY:{escaped(row['job'])}: {escaped(place)}"
        yield f"LOCATION:{escaped(row['machine'])}"
        description = escaped("\n".join(about))
        yield f"DESCRIPTION:{description}"
        yield "END:VEVENT"
    yield "END:VCALENDAR"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
