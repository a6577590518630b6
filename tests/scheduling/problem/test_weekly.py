"""Weekly hours on the axis of elapsed time, what comes on top, and what comes behind."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.calendars import calendars, level, some_windows
from twinloop.errors import InputError
from twinloop.scheduling.problem import Calendar, Changeover, Day, Job, JobShop, Operation, Pool, Shift, Window
from twinloop.scheduling.problem.calendar import NEVER, OpenTime
from twinloop.scheduling.problem.hours import Hours, joined

WORKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")
DAYS = Calendar("2026-03-23T06:00", (Shift("06:00", "14:00", WORKDAYS),), zone="Europe/Berlin")


def shop(duration: int = 60, *, resumable: bool = False, least_run: int = 1, **fields: Any) -> JobShop:
    operation = Operation("m", duration, resumable=resumable, least_run=least_run)
    return JobShop(("m",), (Job("a", (operation,)),), **fields)


@pytest.mark.parametrize(
    ("start", "opening"),
    # The night of 28 March 2026 has an hour less in Berlin, that of 24 October an hour more.
    [("2026-03-28T22:00", (0, 420)), ("2026-10-24T22:00", (0, 540)), ("2026-06-01T22:00", (0, 480))],
)
def test_a_shift_over_midnight_is_as_long_as_its_clocks_make_it(start: str, opening: tuple[int, int]) -> None:
    night = Calendar(start, (Shift("22:00", "06:00"),), zone="Europe/Berlin")
    assert next(night.openings(0, 100))[:2] == opening


def test_after_the_clocks_went_forward_work_begins_an_hour_sooner_in_elapsed_time() -> None:
    hours = OpenTime([(Hours(DAYS), 1)])
    assert hours.first(0, 480) == 0
    assert hours.first(1, 480) == 1440
    # From Friday 14:00 to Monday 06:00 there are 63 hours by elapsed time, not 64.
    assert hours.first(4 * 1440 + 1, 480) == 7 * 1440 - 60
    assert hours.done(4 * 1440 + 400, 100, least=60) == 7 * 1440 - 60 + 20


def test_a_holiday_has_no_shift_and_overtime_has_more() -> None:
    days = (Day("2026-03-24"), Day("2026-03-28", (Shift("08:00", "10:00"),)))
    calendar = Calendar(DAYS.start, DAYS.shifts, days, DAYS.zone)
    starts = [opening.start for opening in calendar.openings(0, 7 * 1440 - 60)]
    assert starts == [0, 2 * 1440, 3 * 1440, 4 * 1440, 5 * 1440 + 120]


@settings(max_examples=60, deadline=None)
@given(calendars(capacity=2), some_windows(30), some_windows(30), some_windows(30), st.integers(0, 60))
def test_levels_are_those_of_every_single_unit(
    calendar: Calendar,
    closed: tuple[Window, ...],
    stops: tuple[Window, ...],
    overtime: tuple[Window, ...],
    start: int,
) -> None:
    hours = Hours(calendar, closed, None, overtime, stops, 2)
    steps = hours.steps(start, start + 30)
    for unit in range(start, start + 30):
        there = [units for time, units in steps if time <= unit][-1]
        fields = {"calendar": calendar, "closed": closed, "stops": stops, "overtime": overtime}
        assert there == level(unit, capacity=2, repeat=None, **fields)


@pytest.mark.parametrize("unit_s", [60, 900, 1000])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_windows_that_are_copied_are_those_listed_day_by_day(zone: str, unit_s: int) -> None:
    shifts = (Shift("22:00", "06:30", ("Fri", "Sat", "Sun")), Shift("01:30", "02:30"))
    hours = Hours(Calendar("2026-01-07T12:10", shifts, (Day("2026-02-06"),), zone, unit_s))
    end = 800 * 86_400 // unit_s
    listed = joined(hours.closed_for(1, 0, end))
    copied = OpenTime([(hours, 1)])
    assert [window for window in copied.windows(end) if window.end < end] == [w for w in listed if w.end < end]
    assert copied.between(0, end) == end - sum(window.end - window.start for window in listed)


@pytest.mark.parametrize("kind", ["closed", "stops"])
def test_a_machine_closed_for_good_is_never_used_behind(kind: str) -> None:
    hours = OpenTime([(Hours(**{kind: (Window(100, NEVER),)}), 1)])
    assert (hours.first(0, 100), hours.first(1, 100), hours.closes(0)) == (0, NEVER, 100)
    with pytest.raises(InputError, match="60 of unbroken work fit no opening of m, the longest is 50"):
        shop(**{kind: {"m": (Window(50, NEVER),)}})


def test_hours_repeat_to_any_horizon_without_a_list_of_all_windows() -> None:
    hours = OpenTime([(Hours(closed=(Window(480, 1440),), repeat=1440), 1)])
    days = 10**6
    assert hours.first(1440 * days + 481, 100) == 1440 * (days + 1)
    assert hours.between(0, 1440 * days) == 480 * days
    assert hours.between(1440 * days + 400, 1440 * days + 2000) == 80 + 480
    assert len(hours.windows(0)) < 10_000


def test_open_time_of_several_hours_is_what_all_of_them_leave() -> None:
    hours = OpenTime([(Hours(DAYS), 1), (Hours(stops=(Window(100, 200), Window(1440, 1500))), 1)])
    assert hours.first(0, 150) == 200
    assert hours.between(0, 1600) == 100 + 280 + 100
    assert hours.longest() == 480


def test_several_closed_windows_end_closed_unless_they_repeat_or_are_stops() -> None:
    nights = (Window(480, 1440), Window(1920, 2880))
    message = (
        "job a operation 0: 600 of unbroken work fit no opening of m, the longest is 480: "
        "the closed windows of machine m end at 2880, and it counts as closed behind: let them repeat, "
        "give a calendar, or name them as stops"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        shop(600, closed={"m": nights})
    with pytest.raises(InputError, match="600 of unbroken work fit no opening of m, the longest is 480: let it pause"):
        shop(600, closed={"m": nights[:1]}, repeat={"m": 1440})
    assert shop(600, stops={"m": nights}).solve(iterations=1, method="SPT").objective == 2880 + 600
    assert shop(600, closed={"m": nights[:1]}).solve(iterations=1, method="SPT").objective == 1440 + 600
    paused = shop(600, resumable=True, closed={"m": nights[:1]}, repeat={"m": 1440})
    assert paused.solve(iterations=1, method="SPT").objective == 1440 + 120


def test_a_closed_end_leaves_no_plan_to_work_that_comes_too_late() -> None:
    nights = (Window(480, 1440), Window(1920, 2880))
    jobs = tuple(Job(name, (Operation("m", 300),)) for name in "abc")
    full = JobShop(("m",), jobs, closed={"m": nights})
    assert full.solve(method="CP-SAT", deterministic=1).status == "infeasible"
    for method in ("auto", "SPT", "annealing"):
        solution = full.solve(method=method, iterations=5)
        assert solution.plan is None
        assert "the closed windows of machine m end at 2880" in solution.reason


def test_work_runs_its_least_time_before_a_pause() -> None:
    def ends(least_run: int) -> tuple[int, int]:
        job = Job("a", (Operation("m", 100, resumable=True, least_run=least_run),), release=479)
        plan = JobShop(("m",), (job,), closed={"m": (Window(480, 1440),)}).solve(method="SPT", iterations=1).plan
        [a] = plan
        return a.start, a.end

    assert ends(1) == (479, 1440 + 99)
    assert ends(2) == (1440, 1540)


NIGHT = Shift("22:00", "06:00")
BAD = {
    "zone": ({"m": Calendar("2026-03-23T06:00", (NIGHT,), zone="Europe/Bielefeld")}, "unknown zone 'Europe/Bielefeld'"),
    "start": ({"m": Calendar("Monday", (NIGHT,))}, "start 'Monday': expected a local date and time"),
    "offset": ({"m": Calendar("2026-03-23T06:00+01:00", (NIGHT,))}, "without offset"),
    "no shift": ({"m": Calendar("2026-03-23T06:00", ())}, "expected at least one shift, got none"),
    "clock": ({"m": Calendar("2026-03-23T06:00", (Shift("6:00", "25:00"),))}, "'6:00': expected a time of day"),
    "day": ({"m": Calendar("2026-03-23T06:00", (Shift("06:00", "14:00", ("Monday",)),))}, "unknown day 'Monday'"),
    "date": ({"m": Calendar("2026-03-23T06:00", (NIGHT,), (Day("24.12."),))}, "exception '24.12.': expected a date"),
    "twice": ({"m": Calendar("2026-03-23T06:00", (NIGHT,), (Day("2026-12-24"),) * 2)}, "2026-12-24 is there twice"),
    "unit": ({"m": Calendar("2026-03-23T06:00", (NIGHT,), unit_s=0)}, "unit_s = 0: expected whole seconds"),
    "machine": ({"n": DAYS}, "calendars: unknown machine 'n'; known: m"),
}


@pytest.mark.parametrize(("found", "message"), BAD.values(), ids=BAD)
def test_a_bad_calendar_is_named_in_one_line(found: dict[str, Calendar], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        shop(calendars=found)
    assert len(str(raised.value)) <= 300
    assert "\n" not in str(raised.value)


FIELDS = {
    "repeat without windows": ({"repeat": {"m": 1440}}, "machine m: repeat = 1440: expected closed windows within"),
    "repeat too short": ({"closed": {"m": (Window(4, 9),)}, "repeat": {"m": 8}}, "got one until 9"),
    "two clocks": (
        {"calendars": {"m": DAYS}, "pools": (Pool("p", calendar=Calendar("2026-03-24T06:00", (NIGHT,))),)},
        "give all the same start and unit",
    ),
    "crew": ({"changeovers": {"m": Changeover(crew="p")}}, "changeovers of m: unknown pool 'p'; known: none"),
    "set-up too long": (
        {"calendars": {"m": DAYS}, "setups": {"m": {("a", "b"): 500}}},
        "set-up on m from a to b: 500 fit no opening, the longest is 480",
    ),
    "least run without pause": ({"least_run": 5}, "least_run = 5 is for work that may pause: make it resumable"),
}


@pytest.mark.parametrize(("fields", "message"), FIELDS.values(), ids=FIELDS)
def test_hours_and_set_ups_that_make_no_sense_are_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        shop(**fields)


def test_a_machine_starts_in_a_family_and_keeps_it_over_work_without_one() -> None:
    jobs = (
        Job("neutral", (Operation("m", 1),)),
        Job("b", (Operation("m", 10, family="B"),), after=("neutral",)),
    )
    fields: dict[str, Any] = {"setups": {"m": {("A", "B"): 60}}, "changeovers": {"m": Changeover(initial="A")}}
    for method in ("auto", "CP-SAT", "CP-SAT LNS", "SPT", "genetic"):
        assert JobShop(("m",), jobs, **fields).solve(method=method, iterations=20).objective == 1 + 60 + 10


def test_one_crew_sets_up_one_machine_at_a_time() -> None:
    jobs = tuple(
        Job(f"{m}{k}", (Operation(m, 10, family=family),)) for m in ("m", "n") for k, family in enumerate("AB")
    )
    setups = {m: {("A", "B"): 30, ("B", "A"): 30} for m in ("m", "n")}
    crews = {m: Changeover(crew="setter") for m in ("m", "n")}
    pools = (Pool("setter"),)
    for method in ("auto", "CP-SAT", "SPT"):
        alone = JobShop(("m", "n"), jobs, setups=setups).solve(method=method, iterations=50)
        shared = JobShop(("m", "n"), jobs, setups=setups, changeovers=crews, pools=pools)
        assert (alone.objective, shared.solve(method=method, iterations=50).objective) == (50, 80)


def test_a_pool_with_fewer_people_at_night_does_less_at_night() -> None:
    calendar = Calendar("2026-03-23T06:00", (Shift("06:00", "22:00"), Shift("22:00", "06:00", capacity=1)))
    jobs = tuple(Job(str(k), (Operation(f"m{k}", 480, pools={"people": 1}),), release=960) for k in range(3))
    pool = Pool("people", 3, calendar=calendar)
    made = JobShop(("m0", "m1", "m2"), jobs, pools=(pool,))
    # One through the night, the others next morning.
    for method in ("CP-SAT", "auto", "SPT"):
        plan = made.solve(method=method, iterations=50).plan
        assert sorted(a.start for a in plan) == [960, 1440, 1440]


def test_nothing_ever_opens_where_hours_never_meet() -> None:
    early = Calendar("2026-03-23T00:00", (Shift("06:00", "14:00"),))
    late = Calendar("2026-03-23T00:00", (Shift("14:00", "22:00"),))
    assert OpenTime([(Hours(early), 1), (Hours(late), 1)]).first(0, 1) == NEVER


def test_hours_and_machine_states_come_back_from_a_file(tmp_path: Path) -> None:
    special = Calendar(DAYS.start, DAYS.shifts, (Day("2026-12-24"), Day("2026-03-28", (NIGHT,))), DAYS.zone)
    made = shop(
        100,
        resumable=True,
        least_run=20,
        calendars={"m": special},
        stops={"m": (Window(3, 9),)},
        overtime={"m": (Window(500, 600),)},
        changeovers={"m": Changeover("A", "p", unattended=True)},
        pools=(Pool("p", 2, (Window(1, 2),), repeat=10, stops=(Window(30, 40),)),),
    )
    made.write(tmp_path / "shop.json")
    assert JobShop.read(tmp_path / "shop.json") == made


def test_work_whose_later_openings_are_all_too_short_is_refused_by_name() -> None:
    # Two units of overtime once, then one unit a day for ever: what is left after the first two never gets two.
    hours = {"mill": Calendar("2026-03-23T08:00", (Shift("08:00", "12:00"),), unit_s=4 * 3600)}
    step = Operation("mill", 4, resumable=True, least_run=2)
    with pytest.raises(InputError, match="begins on mill, but never ends.*least_run 2: shorten it"):
        JobShop(("mill",), (Job("a", (step,)),), calendars=hours, overtime={"mill": (Window(0, 2),)})
