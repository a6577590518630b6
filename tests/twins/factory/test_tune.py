import dataclasses
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from tests.twins.factory.trained import Notebook, prepared, stage
from twinloop.errors import RunError
from twinloop.files import read_json
from twinloop.twins.factory import paths, tune
from twinloop.vision.models.settings import SearchSpace
from twinloop.vision.training.settings import TrainSettings

OUTPUTS = (paths.TUNED, paths.TRIALS, paths.metrics("tune"))


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Notebook]:
    root = prepared(tmp_path_factory.mktemp("tuned"))
    one = stage(root, workers=2)
    line = tune.run(one)
    assert isinstance(one.tracker, Notebook)
    return root, line, one.tracker


def test_the_best_trial_is_what_train_must_use(tuned: tuple[Path, str, Notebook]) -> None:
    root, line, tracker = tuned
    best, metrics, trials = read_json(root / paths.TUNED), read_json(root / paths.metrics("tune")), _trials(root)
    row = trials.filter(pl.col("trial") == best["trial"]).row(0, named=True)
    assert best["source"] == "tuned"
    assert best["values"] == {name: row[name] for name in ("model.decoder_width", "train.learning_rate")}
    assert best["value"] == row["val_ap"] == trials["val_ap"].max() == metrics["tune_val_ap"]
    assert (metrics["trials"], metrics["pruned"]) == (4, trials["val_ap"].null_count())
    assert line == f"4/4 trials, best AP {best['value']:.3f} ({metrics['pruned']} pruned)"
    assert [name for name, _, _ in tracker.children] == [f"trial {number}" for number in trials["trial"]]


def test_the_configured_values_are_the_first_trial(tuned: tuple[Path, str, Notebook]) -> None:
    first = _trials(tuned[0]).row(0, named=True)
    assert (first["model.decoder_width"], first["train.learning_rate"]) == (8, TrainSettings().learning_rate)


def test_one_worker_writes_the_same_bytes(tuned: tuple[Path, str, Notebook], tmp_path: Path) -> None:
    prepared(tmp_path)
    tune.run(stage(tmp_path, workers=1))
    for path in OUTPUTS:
        assert (tmp_path / path).read_bytes() == (tuned[0] / path).read_bytes()


@pytest.mark.parametrize("what", ["no trials", "no space"])
def test_without_a_search_the_configured_values_are_used_and_said(tmp_path: Path, what: str) -> None:
    one = stage(tmp_path, tune={"trials": 0 if what == "no trials" else 4})
    if what == "no space":
        sections = vars(one.config.factory) | {
            "model": dataclasses.replace(one.config.factory.model, space=SearchSpace())
        }
        one = dataclasses.replace(one, config=SimpleNamespace(seed=3, factory=SimpleNamespace(**sections)))
    assert "configured values" in tune.run(one)
    assert read_json(tmp_path / paths.TUNED) == {"source": "configured", "values": {}, "trial": None, "value": None}
    assert read_json(tmp_path / paths.metrics("tune"))["tune_val_ap"] is None
    assert _trials(tmp_path).is_empty()


def test_ap_against_latency_leaves_a_front_and_takes_its_knee(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(tmp_path)
    both = {"objectives": ("ap", "latency"), "latency_runs": 10}
    with pytest.raises(RunError, match=r"Settings\.latency_budget_ms = 1e-06, the best has .* \(the trials are kept\)"):
        tune.run(stage(tmp_path, workers=2, tune={**both, "latency_budget_ms": 1e-6}))
    assert read_json(tmp_path / paths.TUNED)["source"] == "configured"

    one = stage(tmp_path, workers=2, tune=both)
    line = tune.run(one)
    assert "going on with 4 finished trials" in capsys.readouterr().err
    trials, metrics = _trials(tmp_path), read_json(tmp_path / paths.metrics("tune"))
    rows = trials.rows(named=True)
    front = [
        row["trial"]
        for row in rows
        if not any(
            other["val_ap"] >= row["val_ap"]
            and other["latency_ms"] <= row["latency_ms"]
            and (other["val_ap"], other["latency_ms"]) != (row["val_ap"], row["latency_ms"])
            for other in rows
        )
    ]
    assert trials.filter(pl.col("pareto"))["trial"].to_list() == front
    assert metrics["best_trial"] in front
    assert (metrics["front"], metrics["rule"], metrics["pruned"]) == (len(front), "the front's knee", 0)
    assert metrics["tune_latency_ms"] == rows[metrics["best_trial"]]["latency_ms"] > 0
    assert line.startswith(f"4/4 trials, {len(front)} on the front; the front's knee: AP ")
    assert isinstance(one.tracker, Notebook)
    assert one.tracker.tags == {f"trial {number}": {"pareto": "true"} for number in front}
    assert all("latency_ms" in figures for _, _, figures in one.tracker.children)


def _trials(root: Path) -> pl.DataFrame:
    return pl.read_parquet(root / paths.TRIALS)
