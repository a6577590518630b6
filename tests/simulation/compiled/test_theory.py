"""The compiled engine against exact values, so tightly that an error of 1 % fails (what is known: ../theory.py).

An estimate must lie within half a percent and its standard error below a quarter: 1 % is two of them away from that.
"""

from dataclasses import replace

import pytest

from tests.simulation.lines import serial_line
from tests.simulation.theory import KNOWN, RELIABLE, Known
from twinloop.simulation.compiled.run import outcomes


def hold(known: Known) -> None:
    runs = known.runs(minutes=known.minutes, replications=known.replications, seed=1)
    mean, error = known.estimate(outcomes(runs))
    assert error < 0.0025 * known.exact
    assert mean == pytest.approx(known.exact, rel=0.005)


@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN)
def test_the_compiled_engine_gives_the_exact_value(known):
    hold(known)


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_a_line_that_is_off_by_one_percent_would_be_noticed(factor):
    name = "3 stations, buffers of 2"
    line = serial_line(3, buffer=2).with_({f"stations.m{number}.cycle.mean": factor for number in (1, 2, 3)})
    hold(RELIABLE[name])
    with pytest.raises(AssertionError):
        hold(replace(RELIABLE[name], line=line))
