from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from twinloop.contracts import AlertCurve
from twinloop.prognostics.evaluation.failures import Prices, cheapest_thresholds, common_threshold


def curve(recall: Sequence[float], false_alarms: Sequence[float], *, failures: int = 10) -> AlertCurve:
    """Of thresholds 0.1, 0.2 … and a failure per month and as many."""
    count = len(recall)
    return AlertCurve(
        thresholds=np.arange(1, count + 1) / 10,
        recall=np.array([recall], dtype=np.float64),
        lead_levels=np.array([0.0, 1.0]),
        lead_hours=np.ones((1, count, 2)),
        false_alarms=np.array([false_alarms], dtype=np.float64),
        failures=failures,
        asset_months=10.0,
        threshold=0.1,
        model="made up",
    )


CURVES = {
    "clear": curve([1.0, 0.95, 0.9, 0.6], [2.0, 0.3, 0.05, 0.0]),
    "faint": curve([0.8, 0.5, 0.1, 0.0], [3.0, 0.2, 0.1, 0.0]),
}
PRICES = {"clear": Prices(500.0, 2000.0), "faint": Prices(500.0, 2000.0)}


def spent(chosen: dict[str, float]) -> float:
    return sum(CURVES[name].at(threshold).false_alarms_at() for name, threshold in chosen.items())


def cost(chosen: dict[str, float]) -> float:
    total = 0.0
    for name, threshold in chosen.items():
        at, price = CURVES[name].at(threshold), PRICES[name]
        total += (1 - at.recall_at()) * price.failure + (at.recall_at() + at.false_alarms_at()) * price.visit
    return total


def test_each_component_has_the_threshold_that_costs_least_where_no_alarm_is_forbidden() -> None:
    chosen = cheapest_thresholds(CURVES, PRICES, false_alarms=10.0)
    every = [dict(zip(CURVES, pair, strict=True)) for pair in product((0.1, 0.2, 0.3, 0.4), repeat=2)]
    assert chosen == min(every, key=cost)
    assert chosen == {"clear": 0.3, "faint": 0.2}


@pytest.mark.parametrize("allowed", [0.3, 0.25, 0.15, 0.05, 0.0])
def test_false_alarms_are_kept_within_what_is_allowed_and_spent_where_most_is_found(allowed: float) -> None:
    chosen = cheapest_thresholds(CURVES, PRICES, false_alarms=allowed)
    assert spent(chosen) <= allowed + 1e-9
    within = [
        pair
        for one in product((0.1, 0.2, 0.3, 0.4), repeat=2)
        if spent(pair := dict(zip(CURVES, one, strict=True))) <= allowed + 1e-9
    ]
    assert cost(chosen) == pytest.approx(min(map(cost, within)), abs=60.0)


def test_a_component_that_no_common_threshold_finds_is_found_at_its_own() -> None:
    common = common_threshold(list(CURVES.values()), false_alarms=0.25)
    assert CURVES["faint"].at(common).recall_at() == pytest.approx(0.1)
    own = cheapest_thresholds(CURVES, PRICES, false_alarms=0.25)["faint"]
    assert CURVES["faint"].at(own).recall_at() == pytest.approx(0.5)


def test_where_an_alert_costs_more_than_a_failure_none_is_heeded_that_can_be_left() -> None:
    dear = dict.fromkeys(CURVES, Prices(500.0, 100.0))
    assert cheapest_thresholds(CURVES, dear, false_alarms=10.0) == {"clear": 0.4, "faint": 0.4}


def test_without_a_curve_there_is_nothing_to_choose() -> None:
    assert cheapest_thresholds({}, {}, false_alarms=0.5) == {}


def test_where_no_threshold_is_quiet_enough_it_is_the_quietest() -> None:
    loud = {"loud": curve([1.0, 0.9], [5.0, 4.0])}
    assert cheapest_thresholds(loud, {"loud": Prices(500.0, 2000.0)}, false_alarms=0.5) == {"loud": 0.2}
