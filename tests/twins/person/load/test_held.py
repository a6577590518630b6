"""The greatest number of people and the fewest workers: as a search from one says, with what was measured unsurely."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twins.person.profiles import profile, spoken
from twinloop.replication.design import Design
from twinloop.replication.side_by_side import TODAY
from twinloop.twins.person.load.held import Held, Setting, fewest_workers, greatest, most_users, response
from twinloop.twins.person.load.line import Service

SETTING = Setting(share=0.95, hours=0.2, warmup_hours=0.05, design=Design(replications=3, seed=1))
SERVICE = Service(profile(spoken()), 2, 12.0, 1.5)


@settings(derandomize=True)
@given(limit=st.integers(0, 100), start=st.integers(1, 300))
def test_the_greatest_number_is_found_from_wherever_the_search_begins(limit, start):
    asked = []
    assert greatest(lambda number: asked.append(number) or number <= limit, start=start) == limit
    assert all(number >= 1 for number in asked)


@settings(derandomize=True)
@given(limit=st.integers(101, 100_000), start=st.integers(1, 3000))
def test_large_numbers_are_found_to_a_hundredth(limit, start):
    found = greatest(lambda number: number <= limit, start=start)
    assert found <= limit <= 1.01 * found + 1


def test_a_replication_holds_as_many_people_as_counting_up_says():
    found = most_users({TODAY: SERVICE}, SETTING).today.values("users")
    for number, users in enumerate(found):
        held = Held(SETTING, True, number)
        assert held(SERVICE, int(users))
        assert not held(SERVICE, int(users) + 1)


def test_more_cores_hold_more_people_and_the_gain_is_paired():
    compared = most_users({TODAY: SERVICE, "more": dataclasses.replace(SERVICE, cores=3)}, SETTING)
    gain = compared["more"]["users"]
    assert gain.low > 0
    assert gain.mean == pytest.approx(compared.results["more"]["users"].mean - compared.today["users"].mean)


def test_few_measured_turns_make_the_interval_wide():
    setting = dataclasses.replace(SETTING, hours=1.0, design=Design(replications=8, seed=1))
    few = spoken(5)
    many = {part: values * 80 for part, values in few.items()}
    widths = [
        most_users({TODAY: Service(profile(turns), 2, 12.0, 1.5)}, setting).today["users"].half_width
        for turns in (few, many)
    ]
    assert widths[0] > 2 * widths[1]


def test_a_turn_that_is_turned_away_is_not_answered_in_time():
    hasty = dataclasses.replace(SERVICE, limit=2)
    held = Held(dataclasses.replace(SETTING, share=0.9), True, 0)
    # Who is let in waits for nobody; many others are not let in.
    assert not held(hasty, 60)


def test_so_many_people_are_held_by_the_fewest_workers():
    found = fewest_workers(SERVICE, 40, SETTING)
    for number, cores in enumerate(found.values("workers")):
        held = Held(SETTING, True, number)
        assert held(dataclasses.replace(SERVICE, cores=int(cores)), 40)
        assert not held(dataclasses.replace(SERVICE, cores=int(cores) - 1), 40)


def test_response_times_are_told_with_their_intervals():
    rows = response([(SERVICE, 4), (SERVICE, 30)], SETTING)
    assert rows["users"].to_list() == [4, 30]
    assert (rows["low"] <= rows["p95_s"]).all()
    assert (rows["p95_s"] <= rows["high"]).all()
    assert rows["p95_s"][0] < 1.5 < rows["p95_s"][1]
