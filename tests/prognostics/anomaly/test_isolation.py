import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from twinloop.errors import InputError, RunError
from twinloop.prognostics.anomaly import (
    IsolationForest,
    IsolationSettings,
    export_isolation,
    fit_isolation,
    open_isolation,
)
from twinloop.prognostics.anomaly.isolation import search_depth
from twinloop.prognostics.models.table import FeatureTable

SETTINGS = IsolationSettings(trees=12, rows=64)


def table(rows: int = 400, *, seed: int = 0) -> FeatureTable:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3)).astype(np.float32)
    values[rng.random(values.shape) < 0.02] = np.nan
    frame = {"asset": ["a"] * rows, "time_min": np.arange(float(rows)), "age_h": np.arange(float(rows))}
    return FeatureTable.of(pl.DataFrame({**frame, **dict(zip("xyz", values.T, strict=True))}))


@pytest.fixture(scope="module")
def model() -> IsolationForest:
    return fit_isolation(table(), SETTINGS, seed=3)


@pytest.fixture(scope="module")
def folder(model: IsolationForest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("anomaly")
    differences = export_isolation(model, target, table(100, seed=5).selected(model.columns))
    assert 0 <= differences["isolation forest"] <= 1e-5
    return target


def test_what_lies_far_from_all_else_is_most_unusual(model: IsolationForest) -> None:
    score = model.score(np.array([[0, 0, 0], [1, 1, 1], [9, -9, 9]], np.float32))
    assert score[0] < 0.5 < score[2]
    assert np.argmax(score) == 2


def test_where_nothing_can_be_cut_the_score_is_a_half() -> None:
    # One leaf holds all: its depth is c(n), and 2^(-c/c) a half.
    same = FeatureTable.of(pl.DataFrame({"asset": ["a"] * 50, "time_min": np.arange(50.0), "x": np.ones(50)}))
    assert fit_isolation(same, SETTINGS, columns=("x",)).score(same.values) == pytest.approx(0.5)


def test_a_search_tree_of_256_rows_needs_10_cuts() -> None:
    # Liu, Ting and Zhou, 2008: c(256) = 2 H(255) - 2 · 255 / 256 = 10.24.
    assert search_depth(np.array([0.0, 1, 2, 256])) == pytest.approx([0, 0, 1, 10.2448], abs=1e-4)


def test_the_depth_of_a_leaf_counts_what_a_search_tree_would_need_for_the_rest() -> None:
    # Of two kinds of rows, one cut parts them: h = 1 + c(8), of 16 rows.
    values = np.repeat([0.0, 1.0], 8)
    two = FeatureTable.of(pl.DataFrame({"asset": ["a"] * 16, "time_min": np.arange(16.0), "x": values}))
    forest = fit_isolation(two, IsolationSettings(trees=1, rows=16), seed=0)
    rest, whole = search_depth(np.array([8.0, 16.0]))
    assert forest.score(two.values) == pytest.approx(2 ** (-(1 + rest) / whole), rel=1e-6)


def test_a_forest_of_few_columns_per_tree_is_exported_too(tmp_path: Path) -> None:
    few = fit_isolation(table(), IsolationSettings(trees=12, rows=64, columns=0.4), seed=1)
    assert export_isolation(few, tmp_path, table(100, seed=5).selected(few.columns))["isolation forest"] <= 1e-5


def test_the_share_of_alarms_on_what_it_learnt_is_as_wanted(model: IsolationForest) -> None:
    share = model.push(table().selected(model.columns).astype(np.float64)).alarm.mean()
    assert share == pytest.approx(SETTINGS.alarm_share, abs=0.005)


def test_ages_are_not_looked_at_unless_named(model: IsolationForest) -> None:
    assert model.columns == ("x", "y", "z")
    assert fit_isolation(table(), SETTINGS, columns=("age_h", "x")).columns == ("age_h", "x")


def test_the_opened_graph_says_the_same_without_the_forest(model: IsolationForest, folder: Path) -> None:
    opened = open_isolation(folder)
    values = table(77, seed=9).selected(model.columns)
    assert opened.score(values) == pytest.approx(model.score(values), abs=1e-5)
    assert (opened.columns, opened.threshold, opened.forest) == (model.columns, model.threshold, None)


def test_another_file_in_place_of_the_graph_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "altered")
    graph = tmp_path / "altered" / "isolation.onnx"
    graph.write_bytes(graph.read_bytes() + b"\0")
    with pytest.raises(RunError, match="altered after export"):
        open_isolation(tmp_path / "altered")
    graph.write_bytes(pickle.dumps({"no": "graph"}))
    with pytest.raises(RunError, match="altered after export"):
        open_isolation(tmp_path / "altered")


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"format": 0})])
def test_a_folder_of_something_else_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="export it again"):
        open_isolation(tmp_path)
    (tmp_path / "anomaly.json").write_text(content)
    with pytest.raises(InputError, match="export it again"):
        open_isolation(tmp_path)


def test_what_cannot_be_learnt_from_is_refused() -> None:
    with pytest.raises(InputError, match="expected at least 2 windows"):
        fit_isolation(table(1), SETTINGS, columns=("x",))
    with pytest.raises(InputError, match="expected a column whose values differ"):
        fit_isolation(table().where(np.arange(400) == 0), SETTINGS)
    with pytest.raises(InputError, match="first w"):
        fit_isolation(table(), SETTINGS, columns=("w",))
