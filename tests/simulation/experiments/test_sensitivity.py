import pytest

from tests.simulation.lines import camera_line, curve, fixed
from twinloop.numbers import Interval
from twinloop.simulation import Add, Economy, ExperimentSettings, Lever, Rework, Scale
from twinloop.simulation.experiments.answer import next_lever, sentence
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.levers import Choices, Model, OperatingPoint
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.sensitivity import TOGETHER, Gain, Sensitivity, analyse, threshold_grid

TODAY = OperatingPoint(0.5, 0.5)
MODELS = {"int8": Model(curve(accept=0.5, reject=0.5), 5.0)}


def lever(name, kind, change, cost=0.0, hypothetical=False) -> Lever:
    return Lever(name=name, lever=kind, change=change, cost_per_day=cost, hypothetical=hypothetical)


LEVERS = (
    lever("threshold", "threshold", {"threshold": "chosen"}),
    lever("faster press", "maintenance", {"stations.press.cycle.mean": Scale(scale=0.5)}),
    lever("costly press", "maintenance", {"stations.press.cycle.mean": Scale(scale=0.5)}, cost=1e5),
    lever("dream model", "model", {"errors": Scale(scale=0.1)}, hypothetical=True),
    lever("useless buffer", "buffer", {"buffer_1": Add(add=1)}, cost=1.0),
)


def analysed() -> Sensitivity:
    settings = ExperimentSettings(days=0.6, warmup_days=0.1, replications=6, thresholds=4, levers=LEVERS)
    measured = curve(accept=0.5, reject=0.5, prevalence=(0.9, 0.1))
    line = camera_line(rework=Rework(cycle=fixed(0.5)))

    def run(scenarios):
        return run_scenarios(
            scenarios,
            economy=Economy(escape=1.0),
            days=settings.days,
            warmup_days=settings.warmup_days,
            replications=settings.replications,
            seed=1,
        )

    return analyse(
        Scenario("line", line, measured),
        settings,
        Choices(MODELS, OperatingPoint(0.8, 0.8)),
        run=run,
        today_point=TODAY,
    )


@pytest.fixture(scope="module")
def found() -> Sensitivity:
    return analysed()


def test_levers_are_ranked_by_what_they_earn_after_their_cost(found):
    gains = [gain.net.mean for gain in found.gains]
    assert gains == sorted(gains, reverse=True)
    assert found.gains[-1].lever.name == "costly press"
    useless = next(gain for gain in found.gains if gain.lever.name == "useless buffer")
    assert useless.net.mean == pytest.approx(-1.0)
    assert not useless.pays


def test_the_best_of_each_kind_are_tried_together_and_dreams_are_left_out(found):
    table = found.frame()
    assert table["name"].to_list()[-1] == TOGETHER
    assert table["change"].to_list()[-1].count("threshold") == 1
    assert "errors" not in table["change"].to_list()[-1]
    assert table["rank"].to_list() == [1, 2, 3, 4, 5, None]
    assert found.together.net.mean > max(gain.net.mean for gain in found.gains if not gain.lever.hypothetical)


def test_tables_hold_every_scenario_and_threshold(found):
    names = ["today", *(gain.lever.name for gain in found.gains), TOGETHER]
    assert found.scenarios_frame()["scenario"].unique(maintain_order=True).to_list() == names
    assert found.states_frame()["scenario"].unique(maintain_order=True).to_list() == names
    curve_table = found.threshold_frame()
    assert sorted(curve_table["kind"].to_list()) == ["chosen", "grid", "grid", "grid", "grid", "today"]
    assert curve_table["accept_below"].is_sorted()
    assert (curve_table["profit_per_day_low"] <= curve_table["profit_per_day"]).all()


def test_the_chosen_threshold_is_the_same_scenario_in_both_tables(found):
    chosen = found.threshold_frame().filter(kind="chosen")["profit_per_day"].item()
    assert found.frame().filter(name="threshold")["profit_per_day"].item() == chosen


def test_thresholds_of_the_grid_are_even_in_log_odds():
    assert threshold_grid(3) == [0.00247, 0.269, 0.982]


def gained(mean: float, low: float, high: float, *, result, kind="threshold", name="it", share=True) -> Gain:
    relative = Interval(mean / 1000, low / 1000, high / 1000) if share else None
    return Gain(lever(name, kind, {"threshold": "chosen"}), result, Interval(mean, low, high), relative)


UP, DOWN, BAND = OperatingPoint(0.73, 0.73), OperatingPoint(0.021, 0.021), OperatingPoint(0.12, 0.4)


@pytest.mark.parametrize(
    ("gains", "chosen", "expected"),
    [
        (
            [(41.0, 28.0, 53.0)],
            UP,
            "Raising the threshold from 0.50 to 0.73 earns 4.1\u202f% more per day (95 % interval 2.8 … 5.3\u202f%)",
        ),
        (
            [(41.0, 28.0, 53.0)],
            DOWN,
            "Lowering the threshold from 0.50 to 0.021 earns 4.1\u202f% more per day (95 % interval 2.8 … 5.3\u202f%)",
        ),
        (
            [(41.0, 28.0, 53.0)],
            BAND,
            "Looking again at parts between 0.12 and 0.40 instead of rejecting from 0.50 earns 4.1\u202f% more per day "
            "(95 % interval 2.8 … 5.3\u202f%)",
        ),
        (
            [(4.0, -8.0, 16.0)],
            UP,
            "Raising the threshold from 0.50 to 0.73 may earn 0.4\u202f% more per day, but that is not sure "
            "(95 % interval −0.8 … 1.6\u202f%)",
        ),
        (
            [(-41.0, -53.0, -28.0)],
            UP,
            "Raising the threshold from 0.50 to 0.73 would earn 4.1\u202f% less per day "
            "(95 % interval −5.3 … −2.8\u202f%), so keep today's threshold",
        ),
        ([(0.0, 0.0, 0.0)], TODAY, "Today's threshold of 0.50 is already the one of least expected cost"),
    ],
)
def test_the_sentence_is_true_for_every_outcome_of_the_threshold(found, gains, chosen, expected):
    outcome = Sensitivity(found.today, tuple(gained(*one, result=found.today) for one in gains), None, ())
    assert sentence(outcome, today=TODAY, chosen=chosen) == f"{expected}; no other lever surely pays for itself."


def test_a_line_that_loses_money_is_told_in_euro(found):
    outcome = Sensitivity(found.today, (gained(310.4, 200.0, 420.0, result=found.today, share=False),), None, ())
    assert "earns 310\u202f€ more per day (95 % interval 200 … 420\u202f€)" in sentence(outcome, today=TODAY, chosen=UP)


def test_the_next_euro_is_in_the_best_lever_that_surely_pays(found):
    gains = (
        gained(90.0, -5.0, 185.0, result=found.today, kind="buffer", name="buffer 1"),
        gained(50.0, 40.0, 60.0, result=found.today),
        gained(30.0, 10.0, 50.0, result=found.today, kind="maintenance", name="station 3's repair time"),
    )
    outcome = Sensitivity(found.today, gains, None, ())
    assert next_lever(outcome).lever.name == "station 3's repair time"
    assert sentence(outcome, today=TODAY, chosen=UP).endswith("; the next euro is in station 3's repair time.")


def test_what_cannot_be_done_yet_is_never_named_as_the_next_euro(found):
    dream = next(gain for gain in found.gains if gain.lever.hypothetical)
    outcome = Sensitivity(found.today, (dream,), None, ())
    assert dream.pays
    assert sentence(outcome, today=TODAY, chosen=UP).endswith("no other lever surely pays for itself.")
