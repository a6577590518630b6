from hypothesis import given
from hypothesis import strategies as st

from tests.scheduling.shops import rich_shop
from twinloop.scheduling.problem import Job, JobShop, Operation, Window
from twinloop.scheduling.problem.calendar import Closures, OpenTime, joined
from twinloop.scheduling.problem.hours import Hours
from twinloop.scheduling.problem.windows import Stretch, Windows, stretches

WINDOWS = st.lists(
    st.builds(lambda start, length: Window(start, start + length), st.integers(0, 25), st.integers(1, 5)), max_size=4
)


SHUT = st.builds(
    lambda start, length, repeat, stop: Hours(None, (Window(start, start + length),), repeat, stops=stop),
    st.integers(0, 8),
    st.integers(1, 2),
    st.sampled_from((10, 15)),
    st.sampled_from(((), (Window(33, 47),))),
)


def minute_by_minute(
    windows: tuple[Window, ...], duration: int, *, resumable: bool, opens: int, closes: int
) -> dict[int, int]:
    """Elapsed time by start, found by working through every minute."""
    closed = {minute for window in windows for minute in range(window.start, window.end)}
    found = {}
    for start in set(range(opens, closes)) - closed:
        minute, left = start, duration
        while left and (resumable or minute not in closed):
            left -= minute not in closed
            minute += 1
        if not left and minute <= closes:
            found[start] = minute - start
    return found


@given(WINDOWS, st.integers(1, 9), st.booleans(), st.integers(0, 20), st.integers(0, 25))
def test_stretches_hold_exactly_the_starts_that_minutes_allow(
    windows: list[Window], duration: int, resumable: bool, opens: int, length: int
) -> None:
    together = joined(windows)
    least = 1 if resumable else duration
    found = stretches(Windows.of(together), duration, least=least, opens=opens, closes=opens + length)
    starts = {start: s.elapsed for s in found for start in range(s.first, s.last + 1)}
    expected = minute_by_minute(together, duration, resumable=resumable, opens=opens, closes=opens + length)
    assert starts == expected
    assert sum(s.last - s.first + 1 for s in found) == len(starts)
    assert list(found) == sorted(found)


def test_windows_that_touch_or_overlap_are_one() -> None:
    windows = [Window(5, 8), Window(0, 3), Window(3, 4), Window(7, 9)]
    assert joined(windows) == (Window(0, 4), Window(5, 9))


def test_an_operation_is_held_up_by_its_machine_and_by_its_people() -> None:
    shop = rich_shop()
    shaft = shop.by_name["shaft"].operations
    closures = Closures(shop)
    assert list(closures.of(shaft[0], "saw").windows(50)) == [Window(12, 13)]
    assert list(closures.of(shaft[1], "mill").windows(50)) == [Window(8, 10), Window(20, 24)]
    assert closures.of(shaft[1], "lathe").always


def test_a_pause_lasts_as_long_as_the_window() -> None:
    found = stretches(Windows.of([Window(8, 10)]), 6, least=1, opens=2, closes=13)
    assert found == (Stretch(2, 2, 6), Stretch(3, 5, 8))


@given(st.lists(SHUT, min_size=1, max_size=3), st.lists(st.integers(1, 3000), min_size=1, max_size=3))
def test_hours_that_repeat_are_closed_in_the_same_minutes_however_far_one_asks(
    hours: list[Hours], asked: list[int]
) -> None:
    together = OpenTime((one, 1) for one in hours)
    for until in asked:
        found = {minute for w in together.windows(until) for minute in range(w.start, min(w.end, until))}
        assert found == {minute for minute in range(until) if any(_is_shut(one, minute) for one in hours)}


def _is_shut(hours: Hours, minute: int) -> bool:
    (closed,), repeat = hours.closed, hours.repeat
    assert repeat is not None
    inside = closed.start <= minute % repeat < closed.end
    return inside or any(stop.start <= minute < stop.end for stop in hours.stops)


def test_machines_with_the_same_hours_share_what_is_known_of_them() -> None:
    shop = JobShop(
        ("saw", "mill", "lathe"),
        (Job("a", (Operation("saw", 3),)),),
        closed={"saw": (Window(4, 9),), "mill": (Window(4, 9),), "lathe": (Window(5, 9),)},
        repeat=dict.fromkeys(("saw", "mill", "lathe"), 10),
    )
    closures = Closures(shop)
    assert closures.on("saw") is closures.on("mill")
    assert closures.on("lathe").windows(10).starts[0] == 5
