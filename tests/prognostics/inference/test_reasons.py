import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.prognostics.models.fleet import HAZARD, Fleet
from twinloop.prognostics.inference.graphs import export_hazard, open_hazard
from twinloop.prognostics.inference.reasons import carried, reasons
from twinloop.prognostics.inference.risks import Consequence, asked, diagnoses
from twinloop.prognostics.models.calibration import logit
from twinloop.prognostics.models.hazard import HazardModel, fit_hazard, tree_inputs
from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.table import component_age

BRAKES = {"brakes": Consequence(9, 4000.0, "Replace the pads.")}


@pytest.fixture(scope="module")
def regressed(trained: Fleet) -> HazardModel:
    """All members but the network."""
    settings = dataclasses.replace(HAZARD, with_network=False, with_linear=True)
    lives = trained.lives.filter(trained.lives["component"] == "brakes")
    return fit_hazard(trained.table, lives, settings, seed=0)


@pytest.mark.parametrize("which", ["model", "regressed"])
def test_contributions_add_up_to_what_the_ensemble_says_less_the_mean(
    which: str, request: pytest.FixtureRequest, trained: Fleet
) -> None:
    model: HazardModel = request.getfixturevalue(which)
    table, rows = trained.table, np.arange(0, len(trained.table), 7)
    members = model.member_hazards(table, trained.lives, "brakes", rows)
    why = reasons(model, table, component="brakes", lives=trained.lives, rows=rows, members=members)
    said = logit(model.pooled("brakes", members)[:, 0])
    assert why.values.sum(axis=1) + why.mean == pytest.approx(said, abs=2e-3)
    assert np.ptp(said) > 2  # there is something to explain
    assert (np.abs(why.values[:, why.names.index("network")]) > 0).any() == (which == "model")


def test_contributions_of_a_diagnosis_add_up_to_those_of_all(regressed: HazardModel, trained: Fleet) -> None:
    told = asked(regressed, trained.table, trained.lives)
    few, all_ = (diagnoses(told, BRAKES, top=top) for top in (2, 1000))
    for short, whole in zip(few, all_, strict=True):
        assert sum(value for _, value in short.contributions) == pytest.approx(
            sum(value for _, value in whole.contributions), abs=1e-9
        )
        assert short.contributions[:2] == whole.contributions[:2]


def test_what_raises_the_risk_says_so(regressed: HazardModel, trained: Fleet) -> None:
    rows = trained.table.last
    members = regressed.member_hazards(trained.table, trained.lives, "brakes", rows)
    why = reasons(regressed, trained.table, component="brakes", lives=trained.lives, rows=rows, members=members)
    heat = np.array([name.startswith("brake_temperature") for name in why.names])
    said = logit(regressed.pooled("brakes", members)[:, 0])
    hot, cool = said.argmax(), said.argmin()
    assert why.values[hot, heat].sum() > 0 > why.values[cool, heat].sum()


def test_the_forest_that_explains_is_the_forest(regressed: HazardModel, trained: Fleet) -> None:
    table = trained.table
    age = component_age(table, trained.lives, "brakes")
    values = tree_inputs(table, regressed.columns, np.arange(len(table)), age)
    forest = regressed.components["brakes"].explained["forest"](values)
    trees = regressed.components["brakes"].trees
    assert trees is not None
    probability = trees.forest.predict_proba(np.nan_to_num(values, nan=0.0))[:, 1]
    assert forest.mean + forest.values.sum(axis=1) == pytest.approx(probability, abs=1e-5)


def test_a_forest_of_one_split_gives_its_whole_difference_to_the_feature_it_splits_on() -> None:
    from sklearn.ensemble import RandomForestClassifier

    from twinloop.prognostics.models.additive import of_trees
    from twinloop.prognostics.models.boosting import boosted_of
    from twinloop.prognostics.models.forest import forest_nodes

    values = np.repeat([[0.0, 5.0], [1.0, 5.0]], 10, axis=0).astype(np.float32)
    happened = np.array([0] * 10 + [1] * 5 + [0] * 5)
    forest = RandomForestClassifier(1, max_depth=1, bootstrap=False, random_state=0).fit(values, happened)
    exact = of_trees(boosted_of(forest_nodes(forest), 2))(values)
    assert exact.mean == pytest.approx(0.25)
    assert exact.values[0] == pytest.approx([-0.25, 0.0])
    assert exact.values[-1] == pytest.approx([0.25, 0.0])


def test_contributions_are_carried_on_in_proportion_and_by_the_slope_where_nothing_changes() -> None:
    values = np.array([[1.0, 3.0], [2.0, -2.0]])
    squared = carried(values, 1.0, np.square)
    assert squared[0] == pytest.approx([6.0, 18.0])  # 5² - 1² = 24, one to three
    assert squared[1] == pytest.approx([4.0, -4.0], abs=1e-4)  # the slope at 1 is 2


def test_a_model_read_back_has_the_same_reasons(regressed: HazardModel, trained: Fleet, tmp_path: Path) -> None:
    table, rows = trained.table, np.arange(0, len(trained.table), 20)
    values = tree_inputs(table, regressed.columns, rows, component_age(table, trained.lives, "brakes")[rows])
    windows = Sequences.of(table.selected(regressed.signals), table.unit).windows(rows, HAZARD.network.length)
    export_hazard(regressed, tmp_path, values, windows)
    told = []
    for one in (regressed, open_hazard(tmp_path)):
        members = one.member_hazards(table, trained.lives, "brakes", rows)
        told.append(reasons(one, table, component="brakes", lives=trained.lives, rows=rows, members=members))
    assert told[0].names == told[1].names
    assert told[0].values == pytest.approx(told[1].values, abs=1e-3)
    assert told[0].mean == pytest.approx(told[1].mean)
