import pytest

from tests.simulation.lines import queue, serial_line
from twinloop.errors import InputError
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.warmup import warm_up


def test_a_line_that_starts_empty_needs_the_time_its_first_parts_take():
    # 12 stations of mean 1 minute, no failures: the first part leaves after about 12 minutes.
    found = serial_line(12, buffer=3).warm_up(days=1, replications=10, seed=1)
    assert 10 <= 1000 * found.days <= 200
    frame = found.frame()
    assert frame.columns == ["day", "parts_per_day", "smooth"]
    assert frame["parts_per_day"][0] < 0.2 * frame["parts_per_day"].mean()
    assert frame["smooth"].null_count() == 25
    assert "Warm-up by MSER-5: " in found._repr_html_()


def test_a_machine_with_work_from_the_start_needs_none():
    assert serial_line(1, buffer=0).warm_up(days=1, replications=20, seed=2).days < 0.1


def test_a_horizon_shorter_than_the_warm_up_is_refused():
    # 60 stations of exactly one minute: nothing leaves in the first 60 of 80 minutes.
    line = serial_line(60, buffer=0).with_(
        {f"stations.{n}.cycle": {"kind": "deterministic", "mean": 1.0} for n in range(1, 61)}
    )
    with pytest.raises(InputError) as caught:
        line.warm_up(days=0.08, replications=2)
    assert "0.08 days are a horizon shorter than the warm-up of serial: its output still changes" in str(caught.value)
    assert "simulate more days" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scenario_has_a_warm_up_like_its_line_and_any_number_of_workers_finds_it():
    line = queue(arrivals=0.8)
    found = [
        warm_up(subject, days=1, replications=4, seed=3, workers=workers)
        for subject, workers in ((line, 1), (Scenario("queue", line), 2))
    ]
    assert found[0].frame().equals(found[1].frame())
