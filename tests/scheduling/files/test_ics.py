"""A calendar is what RFC 5545 says: lines, folding, escaping, events with the plan's own times."""

import re
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.scheduling.clock import Clock
from twinloop.scheduling.files.ics import escaped, folded, write_ics
from twinloop.scheduling.frames import plan_frame

CLOCK = Clock.of("2026-12-01T06:00+01:00")
MADE = datetime(2026, 11, 30, 12, tzinfo=UTC)


def events(content: bytes) -> list[dict[str, str]]:
    """The properties of every event, unfolded as RFC 5545 says."""
    assert content.endswith(b"\r\n")
    raw = content.split(b"\r\n")[:-1]
    assert all(len(line) <= 75 for line in raw)
    assert b"\n" not in b"".join(raw)
    lines = re.sub(r"\r\n[ \t]", "", content.decode()).split("\r\n")[:-1]
    assert (lines[0], lines[1], lines[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    assert sum(line.startswith("PRODID:") for line in lines) == 1
    inside: list[dict[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            inside.append({})
        elif inside and line not in ("END:VEVENT", "END:VCALENDAR"):
            assert name not in inside[-1]
            inside[-1][name] = value
    return inside


def unescaped(text: str) -> str:
    """The text of a value."""
    return re.sub(r"\\(.)", lambda sign: "\n" if sign[1] in "nN" else sign[1], text)


def test_every_operation_is_an_event_at_its_time(tmp_path: Path) -> None:
    write_ics(tmp_path / "a.ics", plan_frame(rich_shop(), rich_plan()), CLOCK, stamp=MADE)
    found = events((tmp_path / "a.ics").read_bytes())
    assert len({event["UID"] for event in found}) == len(found) == 5
    for event, a in zip(found, rich_plan(), strict=True):
        times = [datetime.strptime(event[name], "%Y%m%dT%H%M%S%z") for name in ("DTSTART", "DTEND")]
        assert times == [CLOCK.moment(a.start), CLOCK.moment(a.end)]
        assert (event["LOCATION"], event["DTSTAMP"]) == (a.machine, "20261130T120000Z")
        assert event["SUMMARY"].startswith(f"{a.job}: operation {a.operation + 1} of ")


def test_hostile_names_add_no_event_and_no_property(tmp_path: Path) -> None:
    frame = plan_frame(rich_shop(), rich_plan())
    name = "a;b,c\\d\r\nEND:VEVENT\r\nBEGIN:VEVENT\x00" + "ß€" * 80
    hostile = frame.with_columns(frame["job"].replace({"shaft": name}).alias("job"))
    write_ics(tmp_path / "a.ics", hostile, CLOCK, stamp=MADE)
    found = events((tmp_path / "a.ics").read_bytes())
    assert len(found) == 5
    assert any(unescaped(event["SUMMARY"]).startswith("a;b,c\\d") for event in found)


@given(text=st.text(max_size=300))
def test_lines_are_folded_without_losing_or_splitting_a_character(text: str) -> None:
    pieces = list(folded(escaped(text).encode("utf-8", "replace").decode()))
    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == escaped(text)


@given(text=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], include_characters="\n"), max_size=60))
def test_an_escaped_text_is_the_text_again(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert "\n" not in escaped(text)
