import dataclasses
import math

import numpy as np
import pytest

from tests.simulation.lines import log_of
from tests.simulation.worn import policy, wear, worn_line
from twinloop.errors import InputError
from twinloop.simulation.degradation.history import histories
from twinloop.simulation.degradation.risks import risk_table
from twinloop.simulation.events.log import STARVED

LINE = worn_line(wear("weibull"), maintenance=policy("failure"))


def told(minutes: float):
    log = log_of(LINE, minutes=minutes, seed=4)
    return list(histories(LINE, log, seed=4, replication=0))


def test_the_risk_of_an_hour_is_that_of_the_failures_counted():
    # Lives of 1 000 minutes of work on average: 0.06 failures an hour.
    hour, shift = risk_table(told(400_000.0), horizons_hours=(1.0, 8.0), cost=500.0)
    assert (hour.asset, hour.cost, hour.horizon_hours) == ("press", 500.0, 1.0)
    assert hour.probability == pytest.approx(-math.expm1(-0.06), rel=0.05)
    assert hour.low < hour.probability < hour.high
    assert shift.probability == pytest.approx(1 - (1 - hour.probability) ** 8)


def test_few_failures_say_little_and_none_is_not_certainty():
    [none] = risk_table(told(100.0), horizons_hours=(1.0,), cost=1.0)
    # No failure in 100 minutes: Garwood's upper limit is 3.689 failures.
    assert (none.probability, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(-math.expm1(-3.6889 / (100 / 60)), rel=1e-4)


def test_a_machine_that_never_worked_has_no_risk_to_tell():
    idle = told(100.0)[0]
    waiting = dataclasses.replace(idle, state=np.full_like(idle.state, STARVED))
    with pytest.raises(InputError, match="risk table: press has not worked: simulate more days"):
        risk_table([waiting], horizons_hours=(1.0,), cost=1.0)
