"""The first view of a twin's executions in MLflow: the columns that the twin declares."""

import json
from typing import Any

from twinloop.tracking import view
from twinloop.tracking.store import Store
from twinloop.tracking.view import Columns

COLUMNS = Columns(labels=("data",), metrics={"AP": ("evaluate", "ap"), "profit_per_day": ("simulate", "profit")})


def saved(store: Store) -> dict[str, Any]:
    experiment = store.client.get_experiment(store.experiment("factory"))
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    view_of_table: dict[str, Any] = json.loads(experiment.tags[view.VIEW])
    return view_of_table


def shown(store: Store) -> list[str]:
    columns: list[str] = json.loads(saved(store)["state"])["selectedColumns"]
    return columns


def test_the_first_view_shows_the_declared_columns_from_left_to_right(store: Store) -> None:
    view.show(store, "factory", COLUMNS)
    common = ["tags.`experiment`", "tags.`profile`", "tags.`git_revision`"]
    assert shown(store) == [*common, "params.`data`", "metrics.`AP`", "metrics.`profit_per_day`"]


def test_a_view_of_the_same_columns_stays_as_it_is_and_another_declaration_replaces_it(store: Store) -> None:
    view.show(store, "factory", COLUMNS)
    before = saved(store)
    view.show(store, "factory", COLUMNS)
    assert saved(store) == before
    view.show(store, "factory", Columns(labels=("data", "model"), metrics=COLUMNS.metrics))
    assert shown(store)[4] == "params.`model`"
