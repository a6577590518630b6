import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.prognostics.models.fleet import HAZARD, Fleet
from twinloop.errors import InputError
from twinloop.prognostics.inference.graphs import export_hazard, open_hazard
from twinloop.prognostics.models.hazard import HazardModel, fit_hazard, tree_inputs
from twinloop.prognostics.models.periods import Course, course, failure_by, log_likelihood
from twinloop.prognostics.models.table import ahead, component_age


def test_new_assets_are_foretold_better_than_by_age(model: HazardModel, other: Fleet) -> None:
    label = ahead(other.table, other.lives, "brakes")
    days = course(label, days=HAZARD.days, period_h=24.0)
    ours = np.clip(model.hazards(other.table, other.lives, "brakes"), 1e-9, 1 - 1e-9)
    age = component_age(other.table, other.lives, "brakes")
    by_age = model.components["brakes"].age.hazard(age, days=HAZARD.days, period_h=24.0)
    assert log_likelihood(ours, days) > log_likelihood(np.clip(by_age, 1e-9, 1 - 1e-9), days) + 20


def test_as_many_fail_as_were_foretold(model: HazardModel, other: Fleet) -> None:
    label = ahead(other.table, other.lives, "brakes")
    days = course(label, days=HAZARD.days, period_h=24.0)
    hazard = model.hazards(other.table, other.lives, "brakes")
    at_risk = days.survived | days.failed
    assert hazard[at_risk].sum() == pytest.approx(days.failed.sum(), rel=0.3)


def test_a_component_of_few_failures_gets_what_its_age_tells(model: HazardModel, trained: Fleet) -> None:
    bulbs = model.components["bulbs"]
    assert 0 < bulbs.failures < HAZARD.least_failures
    assert not bulbs.members
    rows = np.arange(5)
    age = component_age(trained.table, trained.lives, "bulbs")[rows]
    expected = bulbs.age.hazard(age, days=HAZARD.days, period_h=24.0)
    assert model.hazards(trained.table, trained.lives, "bulbs", rows) == pytest.approx(expected, rel=1e-6)


def test_members_are_a_forest_boosted_trees_and_a_network(model: HazardModel, trained: Fleet) -> None:
    rows = np.arange(3)
    members = model.member_hazards(trained.table, trained.lives, "brakes", rows)
    assert list(members) == ["forest", "boosted", "network"]
    for hazard in members.values():
        assert hazard.shape == (3, HAZARD.days)
        assert (np.diff(failure_by(hazard)) >= 0).all()


def test_the_same_seed_gives_the_same_model(trained: Fleet, model: HazardModel) -> None:
    again = fit_hazard(trained.table, trained.lives, HAZARD, seed=0)
    rows = np.arange(50)
    assert np.array_equal(*(one.hazards(trained.table, trained.lives, "brakes", rows) for one in (again, model)))


def test_without_a_network_the_trees_are_averaged(trained: Fleet) -> None:
    made = fit_hazard(trained.table, trained.lives, dataclasses.replace(HAZARD, with_network=False), seed=0)
    assert list(made.member_hazards(trained.table, trained.lives, "brakes", np.arange(2))) == ["forest", "boosted"]


def test_a_regression_joins_the_trees_where_it_is_asked_for(trained: Fleet, other: Fleet, tmp_path: Path) -> None:
    settings = dataclasses.replace(HAZARD, with_network=False, with_linear=True)
    made = fit_hazard(trained.table, trained.lives, settings, seed=0)
    rows = np.arange(0, len(other.table), 10)
    members = made.member_hazards(other.table, other.lives, "brakes", rows)
    assert list(members) == ["forest", "boosted", "linear"]
    days = course(ahead(other.table, other.lives, "brakes"), days=HAZARD.days, period_h=24.0)
    days = Course(days.survived[rows], days.failed[rows])
    age = component_age(other.table, other.lives, "brakes")[rows]
    by_age = made.components["brakes"].age.hazard(age, days=HAZARD.days, period_h=24.0)
    assert log_likelihood(members["linear"], days) > log_likelihood(np.clip(by_age, 1e-9, 1 - 1e-9), days)
    values = tree_inputs(other.table, made.columns, rows, age, rows % 7)
    differences = export_hazard(made, tmp_path, values, np.zeros((0, 0, 0), np.float32))
    assert set(differences) == {"brakes forest", "brakes forest explained", "brakes boosted", "brakes linear"}
    back = open_hazard(tmp_path).member_hazards(other.table, other.lives, "brakes", rows)
    assert np.abs(back["linear"] - members["linear"]).max() < 1e-5


def test_what_cannot_be_learnt_from_is_refused(trained: Fleet, model: HazardModel) -> None:
    with pytest.raises(InputError, match="none of .* lives ended in a failure: watch the assets for longer"):
        fit_hazard(trained.table, trained.lives.with_columns(failed=pl.lit(value=False)), HAZARD, seed=0)
    with pytest.raises(InputError, match="unknown name 'brake'; did you mean 'brakes'"):
        model.hazards(trained.table, trained.lives, "brake")
