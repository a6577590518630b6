"""Lines that serve, against exact theory: closed networks, loss, patience, priorities, batches, tokens, joint rows.

Mean value analysis (Reiser and Lavenberg, 1980); machine interference (Cox and Smith, 1961); Erlang (1917); Palm's
M/M/c + M (1957); Cobham's priorities (1954); Markov chains solved here. The same values in machine code, more tightly:
compiled/test_theory.py.
"""

import dataclasses
import math

import numpy as np
import pytest

from tests.simulation.lines import PERFECT, exponential, log_of
from tests.simulation.networks import closed, finite_source, mean_values
from tests.simulation.test_queues import holds
from tests.simulation.theory import erlang_c
from twinloop.simulation import BatchCycle, Distribution, Joint, Line, Operators, Source, Span, Station, Variant
from twinloop.simulation.events.log import SPAN

SERVED = Span(name="served", start="desk", end="desk")


def service(
    arrivals: float,
    *,
    spans: tuple[Span, ...] = (SERVED,),
    variants: tuple[Variant, ...] = (Variant(name="part"),),
    **station: object,
) -> Line:
    """One desk with exponential service of mean 1."""
    fields = {"cycle": exponential(), **station}
    return Line(
        name="service",
        minutes_per_day=1000.0,
        source=Source(interarrival=exponential(1 / arrivals), variants=variants),
        stations=(Station(name="desk", **fields),),
        spans=spans,
        inspection=PERFECT,
    )


@pytest.mark.parametrize(
    ("population", "throughput", "response"),
    [(10, 0.785218, 0.735319), (30, 2.215286, 1.542272), (60, 2.856985, 9.001157)],
)
def test_a_closed_network_serves_as_mean_value_analysis_says(population, throughput, response):
    assert mean_values(12.0, (0.35, 0.10, 0.15), population) == (
        pytest.approx(throughput, abs=5e-7),
        pytest.approx(response, abs=5e-7),
    )
    result = closed(population).run(days=8, warmup_days=0.5, replications=20, seed=3)
    assert holds(result.values("answer_per_min"), throughput)
    assert holds(result.values("answer_mean_min"), response)
    for number, demand in enumerate((0.35, 0.10, 0.15), start=1):
        assert holds(result.values(f"s{number}_utilisation"), throughput * demand)


@pytest.mark.parametrize(
    ("servers", "population", "rate", "repair", "inside"), [(1, 5, 0.05, 0.2, 1.796267), (2, 10, 0.1, 0.5, 2.403722)]
)
def test_a_finite_source_waits_as_its_chain_says(servers, population, rate, repair, inside):
    throughput, response = finite_source(servers, population, 1 / rate, 1 / repair)
    assert throughput * response == pytest.approx(inside, abs=5e-7)
    line = closed(population, servers=servers, demands=(1 / repair,), think=1 / rate)
    result = line.run(days=10, warmup_days=0.5, replications=20, seed=5)
    assert holds(result.values("answer_per_min"), throughput)
    assert holds(result.values("answer_mean_min"), response)


def test_shared_servers_are_one_station_of_the_whole_demand():
    # With equal exponential times nobody's place in the line matters to the sum (Baskett et al., 1975).
    cores, population, think, visit = 2, 12, 8.0, 0.7
    line = closed(population, servers=cores, demands=(visit, visit), think=think)
    line = dataclasses.replace(line, operators=(Operators(name="core", count=cores, skills=("s1", "s2")),))
    throughput, response = finite_source(cores, population, think, 2 * visit)
    result = line.run(days=8, warmup_days=0.5, replications=20, seed=8)
    assert holds(result.values("answer_per_min"), throughput)
    assert holds(result.values("answer_mean_min"), response)
    assert holds(result.values("core_utilisation"), throughput * 2 * visit / cores)


@pytest.mark.parametrize(
    "line",
    [
        service(0.8, queue=4).with_({"source.when_full": "lose"}),
        service(0.8, spans=(dataclasses.replace(SERVED, limit=5, when_full="lose"),)),
    ],
    ids=["a full queue", "no token"],
)
def test_five_places_lose_what_erlang_says(line):
    result = line.run(days=6, warmup_days=0.2, replications=20, seed=1)
    assert holds(result.values("refused_share"), 0.0888195)
    assert holds(result.values("served_per_min"), 0.8 * (1 - 0.0888195))
    assert result.values("abandoned_share").max() == 0


def test_who_is_impatient_gives_up_as_palm_says():
    line = service(4.0, servers=4, patience=exponential(2.0))
    result = line.run(days=1.5, warmup_days=0.1, replications=20, seed=3)
    assert holds(result.values("abandoned_share"), 0.1629262)
    assert holds(result.values("lost_per_min"), 4 * 0.1629262)
    assert result.values("refused_share").max() == 0


def test_two_classes_wait_as_cobham_says():
    variants = (Variant(name="urgent", share=0.3), Variant(name="other", share=0.4, priority=1))
    spans = tuple(Span(name=variant.name, start="desk", end="desk", variant=variant.name) for variant in variants)
    result = service(0.7, spans=spans, variants=variants).run(days=10, warmup_days=1, replications=20, seed=6)
    assert holds(result.values("urgent_mean_min") - 1, 1.0)
    assert holds(result.values("other_mean_min") - 1, 10 / 3)


def test_batches_that_take_whoever_is_there_wait_as_their_chain_says():
    # M/M^(1..4)/1: λ = 1.2, μ = 1 for a batch of any size.
    result = service(1.2, batch=4, batch_wait_min=0.0).run(days=3, warmup_days=0.2, replications=20, seed=2)
    assert holds(result.values("served_mean_min") - 1, 0.8275194)


def bulk(load: float, minutes: dict[int, float], *, most: int = 150) -> float:
    """Mean time in M/M^(1..k)/1 whose cycle depends on the size: the chain of (waiting, size at work) solved."""
    states = [(0, 0)] + [(waiting, size) for waiting in range(most) for size in minutes]
    place = {state: number for number, state in enumerate(states)}
    rates = np.zeros((len(states), len(states)))
    for (waiting, size), row in place.items():
        following = (waiting + 1, size) if size else (0, 1)
        if following in place:
            rates[row, place[following]] += load
        if size:
            taken = min(waiting, max(minutes))
            rates[row, place[waiting - taken, taken]] += 1 / minutes[size]
    balance = rates - np.diag(rates.sum(axis=1))
    balance[:, 0] = 1.0
    chance = np.linalg.solve(balance.T, np.eye(len(states))[0])
    return float(chance @ np.array([waiting + size for waiting, size in states])) / load


def test_the_cycle_of_a_batch_is_that_of_its_size():
    assert bulk(1.2, dict.fromkeys(range(1, 5), 1.0)) == pytest.approx(1.8275194, abs=1e-6)
    minutes = {1: 0.6, 2: 0.8, 3: 1.5, 4: 1.5}
    # Three take as long as four.
    cycles = tuple(BatchCycle(parts=size, cycle=exponential(minutes[size])) for size in (1, 2, 4))
    line = service(1.2, batch=4, batch_wait_min=0.0, batch_cycles=cycles)
    result = line.run(days=3, warmup_days=0.2, replications=20, seed=2)
    assert holds(result.values("served_mean_min"), bulk(1.2, minutes))
    assert line.minutes_per_part(0) == pytest.approx(1.5 / 4)


def test_tokens_before_a_station_of_unlimited_servers_make_it_one_of_so_many():
    # Admission of three to M/M/∞ is M/M/3; without a limit nobody waits, and 2.4 are there on average.
    line = service(2.4, spans=(dataclasses.replace(SERVED, limit=3),), unlimited=True)
    result = line.run(days=2, warmup_days=0.2, replications=20, seed=4)
    assert holds(result.values("served_mean_min"), 1 + erlang_c(3, 2.4) / 0.6)
    free = service(2.4, unlimited=True).run(days=4, warmup_days=0.2, replications=20, seed=4)
    assert holds(free.values("served_mean_min"), 1.0)
    assert holds(free.values("served_p95_min"), math.log(20))
    assert not service(2.4, unlimited=True).can_grow


TABLE = {"hear": (0.2, 0.5, 3.0, 0.4), "find": (0.1, 0.3, 5.0, 0.2), "speak": (0.5, 0.6, 4.0, 0.3)}


def in_rows(**joint: object) -> Line:
    stations = tuple(
        Station(name=name, cycle=Distribution(kind="empirical", values=values), unlimited=True)
        for name, values in TABLE.items()
    )
    return Line(
        name="rows",
        minutes_per_day=1000.0,
        source=Source(interarrival=exponential(0.5)),
        stations=stations,
        buffers=(9, 9),
        spans=(Span(name="all", start="hear", end="speak", target_min=2.0),),
        joint=Joint(stations=tuple(TABLE), renewed_at="hear", **joint) if joint.pop("rows", True) else None,
        inspection=PERFECT,
    )


def test_what_belongs_together_is_long_together():
    sums = np.array(list(TABLE.values())).sum(axis=0)
    result = in_rows().run(days=3, warmup_days=0.1, replications=20, seed=1)
    assert holds(result.values("all_mean_min"), float(sums.mean()))
    assert holds(result.values("all_within"), 0.75)
    assert result.values("all_p99_min") == pytest.approx(np.full(20, sums.max()))
    alone = in_rows(rows=False).run(days=3, warmup_days=0.1, replications=20, seed=1)
    assert holds(alone.values("all_mean_min"), float(sums.mean()))
    # All three are long with 1/64 instead of 1/4: independent marginals get the tail wrong.
    assert alone["all_p95_min"].mean < 0.9 * sums.max()


def test_a_resampled_table_makes_the_interval_as_wide_as_its_rows_are_few():
    sums = np.array(list(TABLE.values())).sum(axis=0)
    plain, resampled = (
        in_rows(resampled=resampled).run(days=3, warmup_days=0.1, replications=60, seed=1)
        for resampled in (False, True)
    )
    assert plain.estimate is None
    assert resampled.estimate["all_mean_min"].to_list() == plain.values("all_mean_min").tolist()
    assert resampled["all_mean_min"].half_width > 5 * plain["all_mean_min"].half_width
    assert resampled["all_mean_min"].half_width == pytest.approx(2 * sums.std() / 2, rel=0.35)


def test_the_same_visit_of_the_same_part_has_the_same_row_in_every_scenario():
    def rows(think: float) -> dict[int, list[float]]:
        work = Distribution(kind="empirical", values=tuple(0.1 * number for number in range(1, 30)))
        line = Line(
            source=Source(population=5),
            stations=(
                Station(name="think", cycle=exponential(think), unlimited=True),
                Station(name="work", cycle=work, unlimited=True),
            ),
            buffers=(9,),
            spans=(Span(name="took", start="work", end="work"),),
            joint=Joint(stations=("work",), renewed_at="work"),
            inspection=PERFECT,
        )
        log = log_of(line, minutes=300)
        ended = log.event == SPAN
        return {part: log.value[ended & (log.part == part)].round(9).tolist() for part in range(5)}

    hasty, slow = rows(2.0), rows(8.0)
    for part, taken in slow.items():
        assert hasty[part][: len(taken)] == taken
    assert len({tuple(taken[:8]) for taken in slow.values()}) == 5
