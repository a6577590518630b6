"""The calendar of a fictional person as iCalendar (RFC 5545): recurrences, overlaps, priorities, zones, preparation.

Weekly meetings go on without an end and across daylight saving; one is held in another zone, one is left out once, one
was moved. Preparation is an X- property with a duration, as the standard has none.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vDuration
from numpy.random import Generator

from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.dialogue.synthetic.words import COMPANIES, TOWNS, day_in, pick

PREPARATION = "X-PREPARATION"
RECURRING = (
    ("Team meeting", "MO", time(9, 30), 45, 5),
    ("Planning round", "WE", time(10, 0), 60, 3),
    ("Office hour", "WE", time(10, 30), 90, 8),
    ("Call with {company}", "WE", time(10, 30), 45, 4),
    ("Choir", "TH", time(19, 0), 120, 7),
)
SINGLE = (
    ("Interview with {company}", 60, 2, 60),
    ("Dentist", 40, 3, 0),
    ("Presentation in {town}", 90, 1, 120),
    ("Lunch with {company}", 60, 8, 0),
    ("Budget review", 75, 2, 45),
    ("Site visit {town}", 180, 4, 30),
)
SINGLE_EVENTS = 40
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def calendar(settings: PersonSettings, name: str, zone: str, abroad: str, rng: Generator) -> bytes:
    """The content of the person's .ics file. abroad: zone of the meeting that follows another clock."""
    year = settings.year
    made = Calendar()
    made.add("prodid", "-//twinloop//fictional person//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", name)
    home = ZoneInfo(zone)
    for number, (title, weekday, clock, minutes, priority) in enumerate(RECURRING):
        begin = datetime.combine(_first(year, weekday), clock, ZoneInfo(abroad) if "Call" in title else home)
        event = _event(
            number, _titled(title, rng), begin, minutes, priority, preparation=15 if "Planning" in title else 0
        )
        event.add("rrule", {"freq": "weekly", "byday": weekday})
        if number == 0:
            event.add("exdate", begin + timedelta(weeks=int(rng.integers(4, 20))))
        made.add_component(event)
        if number == 1:
            usual = begin + timedelta(weeks=int(rng.integers(21, 40)))
            moved = _event(
                number, "Planning round, moved", usual + timedelta(hours=4), minutes, priority, preparation=15
            )
            moved.add("recurrence-id", usual)
            made.add_component(moved)
    days = sorted(day_in(rng, year) for _ in range(SINGLE_EVENTS))
    for number, day in enumerate(days, len(RECURRING)):
        title, minutes, priority, preparation = pick(rng, SINGLE)
        # Hours of work, so that they meet each other and the recurring ones.
        clock = time(int(rng.integers(9, 17)), 30 * int(rng.integers(2)))
        begin = datetime.combine(day, clock, UTC if number % 10 == 0 else home)
        made.add_component(_event(number, _titled(title, rng), begin, minutes, priority, preparation=preparation))
    holiday = Event()
    holiday.add("uid", "holiday@twinloop.invalid")
    holiday.add("dtstamp", datetime(year, 1, 1, tzinfo=UTC))
    holiday.add("summary", "Holiday")
    holiday.add("dtstart", date(year, 8, 3))
    holiday.add("dtend", date(year, 8, 15))
    made.add_component(holiday)
    made.add_missing_timezones(first_date=date(year - 1, 1, 1), last_date=date(year + 2, 1, 1))
    content: bytes = made.to_ical()
    return content


def _event(number: int, title: str, begin: datetime, minutes: int, priority: int, *, preparation: int) -> Event:
    event = Event()
    event.add("uid", f"event-{number}@twinloop.invalid")
    event.add("dtstamp", datetime(begin.year, 1, 1, tzinfo=UTC))
    event.add("summary", title)
    event.add("dtstart", begin)
    event.add("dtend", begin + timedelta(minutes=minutes))
    event.add("priority", priority)
    if preparation:
        event.add(PREPARATION, vDuration(timedelta(minutes=preparation)), parameters={"VALUE": "DURATION"})
    return event


def _titled(title: str, rng: Generator) -> str:
    return title.format(company=pick(rng, COMPANIES), town=pick(rng, TOWNS))


def _first(year: int, weekday: str) -> date:
    """The first such day of the year's second week."""
    begin = date(year, 1, 8)
    return begin + timedelta(days=(WEEKDAYS.index(weekday) - begin.weekday()) % 7)
