import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import weibull_min

from tests.simulation.lines import PERFECT, fixed
from tests.simulation.worn import policy, press, wear, worn_line
from twinloop.errors import InputError
from twinloop.simulation import Economy, Line, Station
from twinloop.simulation.maintenance.comparison import compare_policies
from twinloop.simulation.maintenance.policies import with_policy
from twinloop.simulation.maintenance.upkeep import COST, FAILURE, FIGURES, ORACLE
from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.wear_process import weibull_parameters

FAILS, MAINTAINS, CYCLE = 800.0, 100.0, 10.0
PRICES = Economy(failure=FAILS, maintenance=MAINTAINS, repair_hour=0.0)
LINE = worn_line(wear("weibull"), maintenance=policy("failure"), cycle=fixed(CYCLE))


def cost_of_age_replacement(interval: float) -> float:
    """€ per part by renewal reward: expected cost of a life over its expected length (Barlow and Hunter, 1960)."""
    shape, scale = weibull_parameters(LINE.stations[0].wear)
    law = weibull_min(shape, scale=scale)
    length = quad(law.sf, 0.0, min(interval, 20 * scale))[0]
    return float(MAINTAINS * law.sf(interval) + FAILS * law.cdf(interval)) / length * CYCLE


def test_age_replacement_costs_what_the_renewal_reward_formula_says_and_is_best_where_it_says():
    intervals = (150.0, 450.0, 1500.0)
    lines = {f"every {minutes:g}": with_policy(LINE, "interval", interval_min=minutes) for minutes in intervals}
    found = compare_policies(
        LINE, lines, economy=PRICES, days=40, warmup_days=2, replications=8, seed=1, confidence=0.99
    )
    theory = {name: cost_of_age_replacement(minutes) for name, minutes in zip(lines, intervals, strict=True)}
    theory |= {FAILURE: FAILS / 1000.0 * CYCLE, ORACLE: MAINTAINS / 1000.0 * CYCLE}
    for name, cost in theory.items():
        interval = found.figure(name)
        assert interval.low < cost < interval.high
        assert interval.half_width < 0.2 * cost
    assert found.ranking[0] == "every 450" == min(lines, key=theory.__getitem__)
    up = 1000.0 / (1000.0 + 50.0)
    assert found.figure(FAILURE, "availability").low < up < found.figure(FAILURE, "availability").high


@pytest.mark.parametrize("kind", ["gamma", "wiener", "weibull"])
def test_no_policy_costs_less_or_is_more_available_than_the_oracle(kind):
    line = worn_line(wear(kind, mean_life_min=300.0), maintenance=policy("failure"))
    sharp = Predictor(recall=(0.9,), lead_levels=(0.0, 1.0), lead_hours=((0.1, 0.4),), false_alarms_per_hour=(0.01,))
    policies = {
        "interval": with_policy(line, "interval", interval_min=200.0),
        "condition": with_policy(line, "condition", interval_min=20.0, health_below=0.1),
        "predictive": with_policy(line, "predictive", predictor=sharp),
        "opportunistic": with_policy(line, "opportunistic", health_below=0.2),
    }
    found = compare_policies(line, policies, economy=PRICES, days=15, replications=4, seed=2)
    for name in (FAILURE, *policies):
        assert found.regret(name).mean > 0
        assert found.regret(name, "availability").mean < 0
    frame = found.frame()
    assert len(frame) == len(FIGURES) * 6
    assert frame["policy"][0] == ORACLE


def test_a_machine_that_often_has_no_part_is_best_maintained_then():
    stations = (
        Station(name="slow", cycle=fixed(9.0)),
        press(wear("gamma", cv=0.2), policy("failure", minutes=100.0), name="fast"),
    )
    line = Line(name="two", minutes_per_day=1000.0, stations=stations, buffers=(60,), inspection=PERFECT)
    found = compare_policies(
        line,
        {
            "opportunistic": with_policy(line, "opportunistic", health_below=0.3),
            "condition": with_policy(line, "condition", interval_min=50.0, health_below=0.3),
        },
        economy=PRICES,
        days=10,
        replications=3,
    )
    assert found.figure("opportunistic").mean < found.figure(FAILURE).mean
    assert found.figure("opportunistic", "failures_per_day").mean < 0.1


def test_a_predictor_that_was_measured_badly_widens_the_interval():
    def predictive(*recall: float) -> Line:
        draws = len(recall)
        unsure = Predictor(
            recall=recall,
            lead_levels=(0.0, 1.0),
            lead_hours=((0.2, 0.5),) * draws,
            false_alarms_per_hour=(0.0,) * draws,
        )
        return with_policy(line, "predictive", predictor=unsure)

    line = worn_line(wear("weibull", mean_life_min=300.0), maintenance=policy("failure"))
    policies = {"sure": predictive(0.7), "unsure": predictive(0.7, 0.1, 1.0, 0.4, 0.9)}
    found = compare_policies(line, policies, economy=PRICES, days=10, replications=8)
    assert found.figure("unsure").half_width > 2 * found.figure("sure").half_width
    assert set(found.results) == {FAILURE, "sure", "unsure", ORACLE}


def test_the_same_comparison_gives_the_same_numbers_for_any_number_of_workers():
    policies = {"every 200 <b>": with_policy(LINE, "interval", interval_min=200.0)}
    how = {"economy": PRICES, "days": 3, "replications": 3, "seed": 5}
    alone, shared = (compare_policies(LINE, policies, workers=workers, **how) for workers in (1, 2))
    assert alone.frame().equals(shared.frame())
    face = alone._repr_html_()
    assert "every 200 &lt;b&gt;" in face
    assert face.count("<tr>") == 4


def test_maintenance_and_breakdowns_cost_what_the_economy_says_and_nothing_by_default():
    dear = compare_policies(LINE, {}, economy=PRICES, days=10, replications=2)
    free = compare_policies(
        LINE, {}, economy=dataclasses.replace(PRICES, failure=0.0, maintenance=0.0), days=10, replications=2
    )
    assert Economy().failure == Economy().maintenance == 0.0
    for name, price, count in ((FAILURE, FAILS, "failures_per_day"), (ORACLE, MAINTAINS, "maintenances_per_day")):
        lost = free.results[name].values("profit_per_day") - dear.results[name].values("profit_per_day")
        assert lost == pytest.approx(price * dear.results[name].values(count))
        assert np.all(lost > 0)
    assert dear.figure(ORACLE, COST).mean > 0


def test_names_of_the_comparison_itself_cannot_be_taken():
    with pytest.raises(InputError, match="the policy 'oracle' is always compared: give yours another name"):
        compare_policies(LINE, {"oracle": LINE}, days=5)
    with pytest.raises(InputError, match="no station with wear and maintenance"):
        compare_policies(worn_line(wear()), {}, days=5)
