"""Lines as they are, against exact theory: loss, patience, priorities, unequal machines, set-up times, crew shifts.

Erlang's loss formula (1917); Palm's M/M/c + M (Erlang A, 1957); Cobham's priorities (1954); Markov chains solved here.
"""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import t as student

from tests.simulation.lines import PERFECT, exponential, fixed, log_of, queue
from twinloop.errors import InputError
from twinloop.simulation import Initial, Line, Order, Source, Station, Variant
from twinloop.simulation.events.log import DOWN, ENTER, LOSE, QUEUE, RUNNING, SETUP, SHIP, STARVED
from twinloop.simulation.model.resources import Crew, Shift

# Probability that a check fails by chance.
ERROR = 1e-4


def holds(values: np.ndarray, exact: float) -> bool:
    """Whether the mean of replications may be `exact`, but for an error of ERROR."""
    error = values.std(ddof=1) / math.sqrt(len(values))
    return bool(abs(values.mean() - exact) <= student.ppf(1 - ERROR / 2, len(values) - 1) * error)


def erlang_b(servers: int, load: float) -> float:
    lost = 1.0
    for number in range(1, servers + 1):
        lost = load * lost / (number + load * lost)
    return lost


def birth_death(births: list[float], deaths: list[float]) -> np.ndarray:
    """Stationary probabilities of 0, 1, … in the system."""
    weights = np.cumprod([1.0, *(birth / death for birth, death in zip(births, deaths, strict=True))])
    return weights / weights.sum()


@pytest.mark.parametrize(("servers", "room", "load"), [(1, 0, 0.8), (3, 0, 2.4), (2, 3, 2.5)])
def test_a_full_system_loses_what_erlang_says(servers, room, load):
    line = queue(arrivals=load, servers=servers).with_({"source.when_full": "lose", "stations.desk.queue": room})
    result = line.run(days=6, warmup_days=0.1, replications=20, seed=7)
    size = servers + room
    chance = birth_death([load] * size, [float(min(number, servers)) for number in range(1, size + 1)])
    if room == 0:
        assert chance[-1] == pytest.approx(erlang_b(servers, load))
    assert holds(result.values("lost_per_day"), 1000 * load * chance[-1])
    assert holds(result.values("wip"), float(chance @ np.arange(size + 1)))
    assert result["lost_share"].mean == pytest.approx(chance[-1], rel=0.1)
    assert result.settles


@pytest.mark.parametrize(("servers", "load", "patience"), [(1, 1.5, 2.0), (3, 3.5, 1.0)])
def test_impatient_parts_leave_as_erlang_a_says(servers, load, patience):
    line = queue(arrivals=load, servers=servers).with_(
        {"stations.desk.patience": dataclasses.asdict(exponential(patience))}
    )
    result = line.run(days=4, warmup_days=0.1, replications=20, seed=3)
    most = 80
    deaths = [min(number, servers) + max(number - servers, 0) / patience for number in range(1, most + 1)]
    chance = birth_death([load] * most, deaths)
    waiting = float(chance @ np.maximum(np.arange(most + 1) - servers, 0))
    assert holds(result.values("lost_per_day"), 1000 * waiting / patience)
    assert holds(result.values("wip"), float(chance @ np.arange(most + 1)))
    assert not line.can_grow


def test_priorities_wait_as_cobham_says():
    rates = (0.3, 0.5)
    variants = tuple(
        Variant(name=name, share=rate, priority=priority)
        for name, rate, priority in zip(("urgent", "other"), rates, (0, 2), strict=True)
    )
    line = dataclasses.replace(queue(arrivals=0.8), source=Source(interarrival=exponential(1.25), variants=variants))
    waits = np.array([_waits(log_of(line, minutes=12_000, seed=5, replication=number)) for number in range(12)])
    work = sum(rates)  # mean remaining work: λ E[S²] / 2 with exponential times of mean 1
    assert holds(waits[:, 0], work / (1 - rates[0]))
    assert holds(waits[:, 1], work / ((1 - rates[0]) * (1 - work)))


def _waits(log) -> list[float]:
    entered = log.time[log.event == ENTER]
    variant = log.value[log.event == ENTER]
    begun = log.event == RUNNING
    part, wait = log.part[begun], log.time[begun] - entered[log.part[begun]]
    late = entered[part] > 1000
    return [float(wait[late & (variant[part] == number)].mean()) for number in (0, 1)]


def test_an_urgent_order_overtakes_those_that_wait():
    orders = (
        Order(name="stock", variant="part", quantity=4),
        Order(name="spare", variant="part", release_min=5, priority=0),
    )
    source = Source(variants=(Variant(name="part", priority=5),), orders=orders)
    log = log_of(
        Line(source=source, stations=(Station(name="press", cycle=fixed(4.0)),), inspection=PERFECT), minutes=50
    )
    assert log.part[log.event == SHIP].tolist() == [0, 1, 4, 2, 3]


def unequal(load: float, speeds: tuple[float, float]) -> tuple[float, float]:
    """Mean number in M/M/2 with servers of these speeds, and how much the first works; the one idle longest is next.

    States: empty with the first or the second server idle longest; one works; n ≥ 2.
    """
    most = 120
    names = ["empty 1", "empty 2", "first", "second", *range(2, most + 1)]
    place = {name: number for number, name in enumerate(names)}
    rates = np.zeros((len(names), len(names)))

    def goes(before, after, rate):
        rates[place[before], place[after]] += rate

    goes("empty 1", "first", load)
    goes("empty 2", "second", load)
    goes("first", "empty 2", speeds[0])
    goes("second", "empty 1", speeds[1])
    goes("first", 2, load)
    goes("second", 2, load)
    goes(2, "second", speeds[0])
    goes(2, "first", speeds[1])
    for number in range(2, most):
        goes(number, number + 1, load)
        goes(number + 1, number, sum(speeds))
    balance = rates - np.diag(rates.sum(axis=1))
    balance[:, 0] = 1.0
    chance = np.linalg.solve(balance.T, np.eye(len(names))[0])
    level = chance @ np.array([0, 0, 1, 1, *range(2, most + 1)])
    return float(level), float(1 - chance[0] - chance[1] - chance[3])


def test_unequal_machines_share_the_work_as_their_markov_chain_says():
    load, speeds = 1.1, (1.0, 0.5)
    line = queue(arrivals=load, servers=2).with_({"stations.desk.speeds": list(speeds)})
    result = line.run(days=6, warmup_days=1, replications=20, seed=9)
    level, busy = unequal(load, speeds)
    assert holds(result.values("wip"), level)
    states = {(row["entity"], row["state"]): row["share"] for row in result.states.iter_rows(named=True)}
    assert states["desk_1", "running"] == pytest.approx(busy, rel=0.02)
    assert line.minutes_per_part(0) == pytest.approx(1 / 1.5)


MATRIX = {"a": {"b": 2.0}, "b": {"a": 5.0, "c": 1.0}, "c": {"a": 3.0}}


def painting(*, lot: int = 1, **fields) -> Line:
    variants = tuple(Variant(name=name) for name in "abc")
    setups = {before: {after: fixed(time) for after, time in onward.items()} for before, onward in MATRIX.items()}
    station = Station(name="paint", cycle=fixed(1.0), setups=setups, **fields)
    return Line(source=Source(variants=variants, lot_size=lot), stations=(station,), inspection=PERFECT)


@pytest.mark.parametrize("default", [None, fixed(7.0)], ids=["no set-up else", "another else"])
def test_a_change_takes_what_the_matrix_says(default):
    log = log_of(painting(setup=default), minutes=400)
    variant = log.value[log.event == ENTER]
    begun: dict[int, float] = {}
    changes: dict[int, float] = {}
    for time, event, part in zip(log.time, log.event, log.part, strict=True):
        if event == SETUP:
            begun[int(part)] = time
        elif event == RUNNING and int(part) in begun:
            changes[int(part)] = time - begun[int(part)]
    else_min = 0.0 if default is None else 7.0
    made = log.part[log.event == RUNNING]
    for before, after in pairwise(made.tolist()):
        names = "abc"[int(variant[before])], "abc"[int(variant[after])]
        expected = 0.0 if names[0] == names[1] else MATRIX[names[0]].get(names[1], else_min)
        assert changes.get(after, 0.0) == pytest.approx(expected)


def test_the_mean_time_per_part_counts_the_matrix_and_cycles_of_variants():
    line = painting(lot=2, cycles={"b": fixed(4.0)})
    expected = (1 + 4 + 1) / 3 + sum(sum(onward.values()) for onward in MATRIX.values()) / 9 / 2
    assert line.minutes_per_part(0) == pytest.approx(expected)
    result = line.run(days=20, replications=10, seed=2)
    assert holds(result.values("throughput_per_day"), 960 / expected)


def test_a_crew_begins_repairs_in_its_shift_and_finishes_them():
    station = Station(name="press", cycle=fixed(500.0), failure=fixed(100.0), repair=fixed(30.0))
    line = Line(
        minutes_per_day=960.0,
        stations=(station,),
        crew=Crew(size=1, shifts=(Shift(start_min=0, end_min=240), Shift(start_min=480, end_min=500))),
        inspection=PERFECT,
    )
    log = log_of(line, minutes=2000)
    down = log.time[log.event == DOWN].tolist()
    up = [time for time, event in zip(log.time, log.event, strict=True) if event == RUNNING][1:]
    # 100: at once; 230: within the shift, finished after it; 360 waits for 480; 610 waits for the next day.
    assert down[:4] == [100.0, 230.0, 360.0, 610.0]
    assert up[:4] == [130.0, 260.0, 510.0, 990.0]


def test_parts_that_are_there_at_the_start_are_worked_on_first():
    line = Line(
        source=Source(interarrival=fixed(10.0), variants=(Variant(name="a"), Variant(name="b"))),
        stations=(Station(name="saw", cycle=fixed(1.0)), Station(name="pack", cycle=fixed(2.0))),
        buffers=(4,),
        initial=(Initial(station="pack", variant="b", quantity=3), Initial(station="saw", quantity=2)),
        inspection=PERFECT,
    )
    log = log_of(line, minutes=12.5)
    enters = log.event == ENTER
    assert log.value[enters].tolist()[:5] == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert (log.event == QUEUE).sum() >= 5
    assert [(time, part) for time, event, part in zip(log.time, log.event, log.part, strict=True) if event == SHIP] == [
        (2.0, 0),
        (4.0, 1),
        (6.0, 2),
        (8.0, 3),
        (10.0, 4),
    ]
    state = log.replay(line, at=0.5)
    assert state.waiting == {"saw": (4,), "pack": (1, 2)}


ONE = {"kind": "exponential", "mean": 1}
BAD = [
    ({"source.when_full": "lose", "source.interarrival": None}, "when_full: lose needs interarrival"),
    ({"stations.desk.cycles": {"prat": ONE}}, "unknown variant 'prat'; did you mean 'part'"),
    ({"stations.desk.setups": {"part": {"x": ONE}}}, "setups: unknown variant 'x'"),
    ({"stations.desk.queue": 2, "initial": [{"station": "desk", "quantity": 3}]}, "3 parts before desk, where 2 can"),
    ({"initial": [{"station": "dsek"}]}, "initial: unknown station 'dsek'; did you mean 'desk'"),
    ({"crew": {"size": 1, "shifts": [{"start_min": 0, "end_min": 2000}]}}, "crew: expected shifts within the day"),
    ({"source.interarrival": None, "stations.desk.patience": ONE}, "nobody waits there"),
]


@pytest.mark.parametrize(("changes", "expected"), BAD)
def test_what_cannot_be_is_refused_in_one_line(changes, expected):
    with pytest.raises(InputError) as caught:
        queue(arrivals=0.5).with_(changes)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"servers": 3, "speeds": (1.0, 2.0)}, "station desk: expected a speed for each of 3 servers, got 2"),
        ({"patience": exponential(), "batch": 2}, "station desk: patience is of parts that wait singly"),
    ],
)
def test_a_station_that_contradicts_itself_is_refused(fields, expected):
    with pytest.raises(ValueError, match=expected):
        Station(name="desk", cycle=exponential(), **fields)


def test_the_mirror_and_the_fork_know_what_is_new_or_refuse_it_by_name():
    variants = (Variant(name="a", priority=1), Variant(name="b"))
    line = dataclasses.replace(
        queue(arrivals=1.4, servers=2),
        source=Source(interarrival=exponential(0.7), variants=variants, when_full="lose"),
        crew=Crew(size=1, shifts=(Shift(start_min=0, end_min=300),)),
    ).with_({"stations.desk.queue": 6, "stations.desk.speeds": [1.0, 0.4]})
    line = line.with_({"stations.desk.cycles": {"a": dataclasses.asdict(exponential(1.5))}})
    live = line.live(seed=4).run_until(700.0)
    log = live.log
    lost = int((log.event == LOSE).sum())
    assert live.state.lost == lost > 0
    assert log.replay(line, at=700.0).waiting == live.state.waiting
    inlet = live._plant.buffers[0]
    assert live.state.waiting["desk"] == tuple(part.number for part in inlet.parts)
    assert live.fork(seed=2).run_until(1500.0).state.shipped > live.state.shipped
    impatient = queue(arrivals=0.9).with_({"stations.desk.patience": dataclasses.asdict(exponential(2.0))})
    with pytest.raises(InputError, match="fork: queue has patience, whose state a log does not tell"):
        impatient.live().run_until(50.0).fork(seed=1)
    assert STARVED in log.event
