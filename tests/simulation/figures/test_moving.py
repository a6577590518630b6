import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.simulation.figures.moving import Clock, Steps, Stop, jumping, travel, word

CLOCK = Clock(10.0, 20.0, 30.0)
STILL = Clock(10.0, 20.0, 30.0, at=14.0)


def numbers(text: str, attribute: str) -> list[str]:
    return re.search(rf'{attribute}="([^"]*)"', text).group(1).split(";")


def test_a_value_holds_until_its_next_change_and_the_last_of_a_minute_counts():
    steps = Steps("a", [(1.0, "b"), (1.0, "c"), (2.0, "c"), (3.0, "a")])
    assert [steps.at(t) for t in (0.9, 1.0, 2.5, 3.0)] == ["a", "c", "c", "a"]
    assert steps.during(Clock(2.0, 4.0, 1.0)) == [(2.0, "c"), (3.0, "a")]
    assert steps.mapped({"a": "1", "c": "2"}).at(2.0) == "2"


def test_an_attribute_jumps_at_its_share_of_the_stretch():
    first, element = jumping(CLOCK, "fill", Steps("red", [(12.5, "blue"), (30.0, "green")]))
    assert first == "red"
    assert numbers(element, "keyTimes") == ["0", "0.25"]
    assert numbers(element, "values") == ["red", "blue"]
    assert 'dur="30s"' in element


def test_what_never_changes_is_not_animated():
    assert jumping(CLOCK, "fill", Steps("red", [(5.0, "blue")])) == ("blue", "")


def test_a_still_has_the_values_of_its_moment():
    assert jumping(STILL, "fill", Steps("red", [(12.0, "blue"), (15.0, "green")])) == ("blue", "")
    place, moves = travel(STILL, [Stop(0.0, 1.0, 1.0), Stop(12.0, 5.0, 5.0, 1.0), Stop(16.0, 9.0, 9.0, 1.0)])
    assert (place, moves) == ((5.0, 5.0), "")
    assert "<animate" not in word(STILL, Steps("one", [(12.0, "two")]), x=0, y=0, width=50, size=10, style="")


def test_a_word_shows_one_line_of_a_strip_at_a_time():
    drawn = word(CLOCK, Steps("one", [(12.0, "two"), (14.0, "one")]), x=0, y=0, width=50, size=10, style="")
    assert re.findall(r">(\w+)</text>", drawn) == ["one", "two"]
    assert numbers(drawn, "values") == ["0,0", "0,-15", "0,0"]


def test_a_move_starts_where_the_last_one_ended_and_takes_its_corners():
    stops = [Stop(0.0, 0.0, 0.0), Stop(12.0, 10.0, 0.0, 2.0, via=((4.0, 0.0),)), Stop(18.0, 10.0, 8.0, 1.0)]
    place, moves = travel(CLOCK, stops)
    assert place == (0.0, 0.0)
    assert numbers(moves, "keyTimes") == ["0", "0.2", "0.3", "0.4", "0.8", "0.9", "1"]
    assert numbers(moves, "values") == ["0,0", "0,0", "4,0", "10,0", "10,0", "10,8", "10,8"]


def test_what_rests_all_the_time_is_not_animated():
    assert travel(CLOCK, [Stop(0.0, 3.0, 4.0), Stop(25.0, 0.0, 0.0, 1.0)]) == ((3.0, 4.0), "")


@given(st.lists(st.tuples(st.floats(0, 40), st.floats(-5, 5), st.floats(0, 3)), min_size=1, max_size=8).map(sorted))
def test_key_times_never_fall_and_end_at_one(rows):
    ends = [since for since, *_ in rows[1:]] + [50.0]
    stops = [
        Stop(since, x, 0.0, min(minutes, end - since)) for (since, x, minutes), end in zip(rows, ends, strict=True)
    ]
    _, moves = travel(CLOCK, stops)
    if moves:
        times = [float(time) for time in numbers(moves, "keyTimes")]
        assert times == sorted(times)
        assert (times[0], times[-1]) == (0.0, 1.0)
        assert len(times) == len(numbers(moves, "values"))


@pytest.mark.parametrize(("minute", "share"), [(5.0, "0"), (10.0, "0"), (15.0, "0.5"), (40.0, "1")])
def test_shares_stay_between_zero_and_one(minute, share):
    assert CLOCK.share(minute) == share
