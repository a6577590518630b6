import pytest

from tests.simulation.lines import exponential, fixed
from twinloop.errors import InputError
from twinloop.simulation import BatchCycle, Station


def cycles(*sizes: int) -> tuple[BatchCycle, ...]:
    return tuple(BatchCycle(parts=size, cycle=fixed(float(size))) for size in sizes)


MACHINES = [
    {"servers": 2},
    {"speeds": (1.0,)},
    {"queue": 3},
    {"failure": fixed(9.0), "repair": fixed(1.0)},
    {"setup": fixed(1.0)},
    {"inspects": True},
    {"batch": 2},
    {"assembles": {"part": 1}},
    {"materials": {"oil": 1.0}},
    {"patience": fixed(1.0)},
]


@pytest.mark.parametrize("fields", MACHINES, ids=lambda fields: next(iter(fields)))
def test_an_unlimited_station_has_nothing_of_machines(fields):
    with pytest.raises(InputError, match=f"unlimited does not go with {next(iter(fields))}: it has no machines"):
        Station(name="think", cycle=exponential(), unlimited=True, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"batch_cycles": cycles(2)},
        {"batch": 4, "batch_cycles": cycles(2)},
        {"batch": 4, "batch_cycles": cycles(4, 4)},
        {"batch": 4, "batch_cycles": cycles(4, 8)},
        {"batch": 4, "batch_cycles": cycles(4), "cycles": {"part": fixed(1.0)}},
    ],
)
def test_cycles_by_size_that_do_not_fit_the_batch_are_refused(fields):
    with pytest.raises(InputError, match="batch_cycles: expected different sizes up to batch"):
        Station(name="oven", cycle=fixed(1.0), **fields)


def test_a_size_that_was_not_measured_takes_as_long_as_the_next_larger_one():
    station = Station(name="oven", cycle=fixed(1.0), batch=8, batch_cycles=cycles(1, 4, 8))
    assert [station.padded(size) for size in range(1, 9)] == [1, 4, 4, 4, 8, 8, 8, 8]
    assert station.mean_cycle_min == 8.0
