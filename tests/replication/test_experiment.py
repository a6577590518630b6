"""The whole package on a run that is no line: run, compare, stop when precise, select, search."""

import numpy as np
import polars as pl
import pytest

from tests.replication.newsvendor import BEST_ORDER, KPIS, MEAN, Newsvendor, kiosk, orders, uncertain
from twinloop.errors import InputError, RunError
from twinloop.replication.design import Design
from twinloop.replication.experiment import replicated, run
from twinloop.replication.kpi import Kpi
from twinloop.replication.optimisation import optimise
from twinloop.replication.selection import Selection
from twinloop.replication.settings import Knob, SearchSettings
from twinloop.replication.side_by_side import SideBySide
from twinloop.replication.system import Outcomes, System


def test_any_callable_is_run_and_its_key_figures_have_intervals():
    result = run([kiosk(1000.0)], Design(replications=200), KPIS)["order 1000"]
    assert result["sold"].low < MEAN < result["sold"].high
    assert result["sold_out"].mean == 0.0
    assert result.frame()["kpi"].to_list() == list(KPIS)
    assert result.replications["sold"][7] == Newsvendor(1000.0)(7)["sold"]


def test_processes_and_chunks_change_nothing():
    systems = [kiosk(90.0), uncertain(110.0, 5.0)]
    alone, three = (replicated(systems, Design(replications=70, workers=workers), KPIS) for workers in (1, 3))
    for name, result in alone.items():
        assert result.replications.equals(three[name].replications)
    assert alone["order 110"].estimate.equals(three["order 110"].estimate)


def test_what_was_estimated_from_data_stays_in_the_interval():
    widths = []
    for spread in (0.0, 10.0):
        result = replicated([uncertain(1000.0, spread)], Design(replications=400), KPIS)["order 1000"]
        widths.append(result["sold"].half_width)
    # The draws' standard deviation is 10 · √1.25 = 11.2, and no number of replications averages it out.
    assert widths[1] == pytest.approx(1.97 * 11.2, rel=0.05)
    assert widths[1] > 10 * widths[0]


def test_shared_luck_makes_a_paired_difference_exact_where_nothing_but_cost_changes():
    # Both orders are more than anybody buys: the twenty papers more are paid for and thrown away.
    results = replicated([kiosk(980.0), kiosk(1000.0)], Design(replications=5), KPIS)
    change = results["order 980"].compare(results["order 1000"])
    assert change["profit"].mean == pytest.approx(-20.0)
    assert change["profit"].half_width == pytest.approx(0.0, abs=1e-9)
    assert "difference" in change._repr_html_()


def test_results_of_other_luck_are_not_paired():
    first, second = (replicated([kiosk(90.0)], Design(replications=3, seed=seed), KPIS)["order 90"] for seed in (1, 2))
    with pytest.raises(InputError, match="compare expects two runs with the same seed and replications, got seed 1, "):
        first.compare(second)


def test_replications_go_on_until_the_precision_is_reached():
    design = Design(replications=10, precision=0.005, precision_of="sold", max_replications=500)
    results = replicated([kiosk(90.0), kiosk(1000.0)], design, KPIS)
    counts = {name: len(result.replications) for name, result in results.items()}
    assert len(set(counts.values())) == 1  # they stay paired
    assert 10 < counts["order 90"] < 500
    assert all(result.reached and result.precision <= 0.005 for result in results.values())
    never = replicated([kiosk(90.0)], Design(replications=5, precision=1e-6, max_replications=12), KPIS)["order 90"]
    assert (never.reached, len(never.replications)) == (False, 12)
    assert "profit within ±" in never._repr_html_()


def test_side_by_side_says_what_surely_changes_and_what_may_be_best():
    names = {"today": 100.0, "more": BEST_ORDER, "far too many": 200.0}
    systems = [kiosk(order, name=name) for name, order in names.items()]
    beside = SideBySide(replicated(systems, Design(replications=60), KPIS))
    frame = beside.frame()
    assert frame["scenario"].to_list() == list(names)
    assert frame["sure"].to_list() == [None, True, True]
    assert beside.best() == ("more",)
    assert beside["far too many"]["sold_out"].high < 0
    assert "most profit: more" in beside._repr_html_()


def test_the_best_of_several_is_selected_with_few_replications():
    candidates = {f"order {order}": kiosk(float(order)) for order in (60, 85, 108, 140)}
    design = Design(replications=10)
    first = replicated(list(candidates.values()), design, KPIS)
    selection = Selection({name: result.values("profit") for name, result in first.items()}, indifference=2.0)
    while not selection.decided:
        left = [candidates[name] for name in selection.remaining]
        more = replicated(left, Design(replications=10, first=selection.replications), KPIS)
        selection.add({name: result.values("profit") for name, result in more.items()})
    assert selection.best == "order 108"
    assert selection.replications < 200


def settings(**changes) -> SearchSettings:
    plain = {
        "trials": 60,
        "space": {"order": Knob(kind="int", low=60.0, high=150.0)},
        "objective": "profit",
        "replications": 10,
        "final_replications": 40,
        "indifference": 0.5,
    }
    return SearchSettings(**(plain | changes))


def test_the_search_comes_to_the_order_that_theory_calls_best():
    optimum = optimise(orders(80.0), settings(), Design(seed=3), KPIS)
    assert abs(optimum.chosen.values["order"] - BEST_ORDER) < 6
    assert optimum.gain.low > 0
    assert optimum.sentence.startswith(f"order = {optimum.chosen.values['order']}: profit +")
    assert "promised profit" in optimum._repr_html_()


def test_a_trial_that_cannot_run_is_passed_over_and_a_space_of_such_trials_stops_the_search():
    space = {"order": Knob(kind="categorical", choices=(0, 90, 108))}
    optimum = optimise(orders(90.0), settings(space=space), Design(), KPIS)
    assert optimum.failed == 1
    assert optimum.chosen.values == {"order": 108}
    with pytest.raises(RunError, match="none of 2 trials ran to its end"):
        optimise(orders(90.0), settings(space={"order": Knob(kind="categorical", choices=(0, -1))}), Design(), KPIS)


class Counted(System):
    """A system that tells a profile of its own: in how many replications of a chunk demand was that high."""

    def chunk(self, numbers, kpis, *, drawn):
        figures = np.array([[float(number)] for number in numbers])
        return lambda: Outcomes(figures, profile=np.array([[number, 1.0] for number in numbers]))


def test_a_profile_is_the_mean_over_replications():
    result = replicated([Counted("toy", Newsvendor(1.0))], Design(replications=9), {"number": Kpi("Number")})["toy"]
    assert result.profile.tolist() == [4.0, 1.0]
    assert result["number"].mean == 4.0


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda: replicated([kiosk(90.0)] * 2, Design(), KPIS), "'order 90' comes twice: rename one"),
        (
            lambda: replicated([kiosk(90.0)], Design(precision_of="prfit"), KPIS),
            "Design.precision_of: unknown name 'prfit'; did you mean 'profit'",
        ),
        (
            lambda: replicated([kiosk(90.0)], Design(), KPIS | {"waste": Kpi("Waste", "papers")}),
            "order 90: expected the key figures profit, sold, sold_out, waste of every replication, replication 0 has "
            "no waste",
        ),
        (lambda: Design(replications=1), "Design.replications = 1: expected at least 2"),
        (lambda: Design(workers=0), "Design.workers = 0: expected a number of processes"),
        (
            lambda: optimise(orders(90.0), settings(objective="prfit"), Design(), KPIS),
            "SearchSettings.objective: unknown name 'prfit'; did you mean 'profit'",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(ask, expected):
    with pytest.raises(InputError) as caught:
        ask()
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_figure_names_the_nearest():
    result = replicated([kiosk(90.0)], Design(replications=2), KPIS)["order 90"]
    with pytest.raises(InputError, match="order 90: key figure: unknown name 'sould'; did you mean 'sold'"):
        result["sould"]
    assert isinstance(result.frame(), pl.DataFrame)
