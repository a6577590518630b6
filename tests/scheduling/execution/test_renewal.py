import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.contracts import Risk, RiskTable
from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.scheduling.execution.renewal import expected_failures, with_repairs
from twinloop.simulation.model.wear import Wear
from twinloop.simulation.model.wear_path import WearPath


def table(*rows: tuple[float, float], asset: str = "mill", component: str = "belt") -> RiskTable:
    return RiskTable.of(Risk(asset, component, hours, p, p, p, 5, 100.0) for hours, p in rows)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.001, 0.5), st.floats(1.0, 40.0))
def test_failures_without_wear_come_at_their_rate_however_often_it_is_repaired(rate: float, hours: float) -> None:
    constant = table((1.0, -np.expm1(-rate)), (2.0, -np.expm1(-2 * rate)))
    found = with_repairs(constant, constant, hours=hours)
    for share in (0.25, 0.5, 1.0):
        count, cost = found.failures("mill", hours=share * hours)
        assert count == pytest.approx(rate * share * hours, rel=0.01)
        assert cost == pytest.approx(100 * count)


def test_the_renewal_function_of_an_erlang_life_is_its_closed_form() -> None:
    """Two exponential stages of rate 1: m(t) = t/2 − (1 − exp(−2t))/4 (Cox, 1962)."""
    time = np.linspace(0.0, 12.0, 401)
    law = 1 - np.exp(-time) * (1 + time)
    exact = time / 2 - (1 - np.exp(-2 * time)) / 4
    assert expected_failures(law, law) == pytest.approx(exact, abs=2e-3)
    # With its first stage behind it an exponential life comes first.
    worn = expected_failures(1 - np.exp(-time), law)
    assert worn == pytest.approx(time / 2 + (1 - np.exp(-2 * time)) / 4, abs=2e-3)


def test_worn_machines_fail_as_often_as_simulated_lives_say() -> None:
    wear, grid = Wear(kind="gamma", mean_life_min=600.0, cv=0.3), np.linspace(0.0, 30.0, 61)
    rng = Streams(3, 0).generator("mill", "lives")
    worn = np.array([WearPath.draw(wear, rng, start=0.7).life_min for _ in range(2000)]) / 60
    new = np.array([WearPath.draw(wear, rng).life_min for _ in range(8000)]) / 60
    first, renewed = (np.searchsorted(np.sort(lives), grid, side="right") / len(lives) for lives in (worn, new))
    later = new.reshape(2000, 4).cumsum(axis=1) + worn[:, None]
    counted = ((worn <= 30.0).sum() + (later <= 30.0).sum()) / 2000
    assert expected_failures(first, renewed)[-1] == pytest.approx(counted, rel=0.03)


@pytest.mark.parametrize(
    ("renewed", "hours", "message"),
    [
        (table((1.0, 0.1)), 0.0, "risks with repairs: hours = 0: expected a finite number above 0"),
        (table((1.0, 0.1)), float("inf"), "risks with repairs: hours = inf: expected a finite number above 0"),
        (table((1.0, 0.1), component="bolt"), 1.0, "risks with repairs: mill/belt: expected it among the renewed ones"),
        (table((1.0, 0.1), asset="saw"), 1.0, "risk table: no row for asset 'mill'"),
        (
            RiskTable.of(table((1.0, 0.1)), clock="calendar"),
            1.0,
            "risks with repairs: expected hours of work, got hours of calendar",
        ),
    ],
)
def test_what_cannot_be_renewed_is_refused(renewed: RiskTable, hours: float, message: str) -> None:
    with pytest.raises(InputError) as caught:
        with_repairs(table((1.0, 0.1)), renewed, hours=hours)
    assert str(caught.value).startswith(message)
