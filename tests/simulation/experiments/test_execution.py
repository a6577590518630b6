import numpy as np
import pytest
from distributed import Client, LocalCluster

from tests.simulation.lines import camera_line, curve, serial_line
from twinloop.errors import InputError
from twinloop.replication.execution import chunk_size
from twinloop.simulation import Economy
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.experiments.scenario import Scenario

SCENARIOS = (
    Scenario("measured", camera_line(), curve(draws=3, spread=0.1)),
    Scenario("assumed", serial_line(2, buffer=1)),
)
HOW = {"economy": Economy(), "days": 0.2, "warmup_days": 0.05, "replications": 40, "seed": 3}


@pytest.fixture(scope="module")
def alone() -> dict[str, Result]:
    return run_scenarios(SCENARIOS, **HOW)


def assert_same(found: dict[str, Result], expected: dict[str, Result]) -> None:
    assert list(found) == list(expected)
    for name, result in found.items():
        assert result.replications.equals(expected[name].replications)
        assert result.states.equals(expected[name].states)
        if result.estimate is not None:
            assert result.estimate.equals(expected[name].estimate)


def test_three_processes_give_the_same_bytes_as_one(alone):
    assert_same(run_scenarios(SCENARIOS, workers=3, **HOW), alone)


def test_a_dask_cluster_of_processes_gives_the_same_bytes_as_one_process():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        found = run_scenarios(SCENARIOS, backend="dask", engine="simpy", **HOW)
    assert_same(found, run_scenarios(SCENARIOS, engine="simpy", **HOW))


def test_dask_without_a_cluster_is_refused_in_one_line():
    with pytest.raises(InputError, match="backend = 'dask': expected a client of a Dask cluster") as caught:
        run_scenarios(SCENARIOS, backend="dask", **HOW)
    assert "\n" not in str(caught.value)


def test_replications_of_disjoint_numbers_are_those_of_one_long_experiment(alone):
    parts = [
        run_scenarios(SCENARIOS, **(HOW | {"first": first, "replications": count}))["measured"].replications
        for first, count in ((0, 15), (15, 25))
    ]
    assert parts[0].vstack(parts[1]).equals(alone["measured"].replications)


def test_the_order_of_the_rows_is_that_of_the_replications(alone):
    assert alone["measured"].replications["replication"].to_list() == list(range(40))
    assert alone["measured"].replications["draw"].to_list() == [1 + number % 3 for number in range(40)]
    assert alone["measured"].estimate["draw"].unique().to_list() == [0]


@pytest.mark.parametrize(("total", "workers", "expected"), [(2, 8, 1), (240, 2, 3), (10_000, 2, 100), (64, 1, 2)])
def test_chunks_are_small_for_small_experiments_and_never_long(total, workers, expected):
    assert chunk_size(total, workers) == expected


def test_a_replication_can_be_looked_at_again(alone):
    result = alone["measured"]
    figures, _ = result.run_of(5)()
    assert result.replications.row(5, named=True)["throughput_per_day"] == figures["throughput_per_day"]
    assert len(result.run_of(5).log()) > 0
    with pytest.raises(InputError, match="replication 40: expected a number from 0 to 39"):
        result.run_of(40)


def test_a_precision_is_reached_by_more_replications_or_the_result_says_that_it_is_not():
    line = serial_line(2, buffer=1)
    how = {"days": 0.5, "warmup_days": 0.1, "replications": 5, "precision_of": "throughput_per_day"}
    once = line.run(**how)
    reached = line.run(precision=0.02, **how)
    assert once.precision > 0.02 >= reached.precision
    assert (once.reached, reached.reached) == (None, True)
    assert len(once.replications) < len(reached.replications) < 1000
    assert len(reached.replications) % 5 == 0
    assert reached.replications[:5].equals(once.replications)
    never = line.run(precision=0.0001, max_replications=12, **how)
    assert (never.reached, len(never.replications)) == (False, 12)
    assert "throughput within ±" in reached._repr_html_()
    assert "not the 0.0" in never._repr_html_()


def test_scenarios_stay_paired_until_the_last_is_precise():
    scenarios = [
        Scenario("calm", serial_line(1, buffer=0)),
        Scenario("wild", serial_line(2, buffer=0, failure=40.0, repair=20.0)),
    ]
    found = run_scenarios(
        scenarios, days=1, warmup_days=0.1, replications=4, precision=0.05, precision_of="throughput_per_day"
    )
    assert len(found["calm"].replications) == len(found["wild"].replications) > 4
    assert found["calm"].compare(found["wild"])["throughput_per_day"].mean < 0


def test_sequential_intervals_cover_the_mean_about_as_often_as_they_say():
    # Stopping early when the interval happens to be short costs a little coverage, never much.
    line = serial_line(1, buffer=0)  # 1000 parts in a day of 1000 minutes
    hits = 0
    for seed in range(60):
        found = line.run(
            days=0.1, warmup_days=0.0, replications=5, precision=0.05, precision_of="throughput_per_day", seed=seed
        )
        interval = found["throughput_per_day"]
        hits += interval.low <= 1000.0 <= interval.high
    assert hits >= 48


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"precision": 0.0}, "precision = 0.0: expected a number in (0, 1)"),
        ({"precision": -0.1}, "precision = -0.1: expected a number in (0, 1)"),
        ({"precision": 2.0}, "precision = 2.0: expected a number in (0, 1)"),
        ({"precision": float("nan")}, "precision = nan: expected a number in (0, 1)"),
        ({"precision": 0.1, "precision_of": "profit"}, "unknown name 'profit'; did you mean"),
        ({"precision": 0.1, "max_replications": 3}, "max_replications = 3: expected at least the 40 of a batch"),
        ({"confidence": 1.0}, "confidence = 1.0: expected a number in [0.5, 1)"),
        ({"seed": -1}, "seed = -1: expected an integer ≥ 0"),
        ({"first": -2}, "first = -2: expected an integer ≥ 0"),
        ({"workers": 0}, "workers = 0: expected a number of processes"),
        ({"engine": "fast"}, "engine = 'fast': expected auto, simpy or compiled"),
        ({"backend": "threads"}, "backend = 'threads': expected processes or dask"),
    ],
)
def test_a_design_that_cannot_be_used_is_refused(changes, expected):
    with pytest.raises(InputError) as caught:
        run_scenarios(SCENARIOS, **(HOW | changes))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_engine_is_said():
    result = serial_line(1, buffer=0).run(days=0.2, replications=2, engine="simpy")
    assert result.engine == "simpy"
    assert "engine simpy" in result._repr_html_()


def test_a_share_of_time_is_the_mean_over_replications(alone):
    minutes = np.mean([alone["assumed"].run_of(number)()[1][1:] for number in range(40)], axis=0)
    shares = minutes / minutes.sum(axis=1, keepdims=True)
    assert alone["assumed"].states["share"].to_list() == shares.ravel().tolist()
