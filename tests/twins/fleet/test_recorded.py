"""A user's own data takes the whole loop: turbofans by cycles, and machines with tables of events."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.twins.fleet.small_loop import STAGES, run
from twinloop.contracts import RiskTable
from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.prognostics.prepared import Prepared
from twinloop.twins.fleet import paths

SMALL = (
    "fleet.predictor.days=10",
    "fleet.predictor.network.length=5",
    "fleet.predictor.boost.trees=40",
    "fleet.predictor.forest.trees=20",
    "fleet.tune.trials=0",
)


def turbofans(folder: Path, *, train: int = 12, test: int = 12) -> Path:
    """Engines whose second sensor rises until they fail, in C-MAPSS's form."""
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True)
    left = []
    for part, units in (("train", train), ("test", test)):
        lines = []
        for unit in range(1, units + 1):
            life = int(rng.integers(50, 90))
            seen = life if part == "train" else int(life * rng.uniform(0.5, 0.9))
            left.append(life - seen)
            for cycle in range(1, seen + 1):
                values = rng.normal(size=24) * 0.2
                values[4] += 4 * (cycle / life) ** 2
                lines.append(" ".join([str(unit), str(cycle), *(f"{value:.4f}" for value in values)]))
        (folder / f"{part}_FD001.txt").write_text("\n".join(lines) + "\n")
    (folder / "RUL_FD001.txt").write_text("\n".join(map(str, left[train:])) + "\n")
    return folder


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("engines")
    source = turbofans(root / "source")
    run(
        root,
        "fleet/data=cmapss",
        "fleet/features=cycles",
        "fleet/predictor=cycles",
        f"fleet.data.source={source}",
        *SMALL,
    )
    return root


def test_the_split_that_came_with_the_data_is_kept(engines: Path) -> None:
    prepared = Prepared.load(engines / paths.DATASET)
    assert prepared.about["test_assets"] == [f"test_{unit:03d}" for unit in range(1, 13)]
    assert prepared.clock == "work"
    assert set(prepared.learnt()[0].assets) == {f"train_{unit:03d}" for unit in range(1, 13)}


def test_engines_are_foretold_better_than_by_age(engines: Path) -> None:
    measured = read_json(engines / paths.metrics("evaluate"))
    assert measured["pr_auc"] > 0.5
    assert measured["pr_auc"] > 5 * failing_share(engines)


def failing_share(root: Path) -> float:
    """Of the rows of test with a known outcome, those before a failure: what chance would reach."""
    bins = pl.read_parquet(root / paths.EVALUATION / "calibration.parquet")
    return float((bins["happened"] * bins["rows"]).sum() / bins["rows"].sum())


def test_the_loop_prices_and_books_them(engines: Path) -> None:
    assert all(read_json(engines / paths.metrics(name)) for name in STAGES)
    risks = RiskTable.load(engines / paths.RISKS)
    assert risks.clock == "work"
    answer = read_json(engines / paths.ANSWER)
    assert list(answer["intervals_min"]) == ["engine"]


def test_a_recording_without_any_life_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "drives.csv"
    rows = {"time": [f"2026-01-01T00:{minute:02d}:00Z" for minute in range(60)], "speed": np.linspace(0, 50, 60)}
    pl.DataFrame(rows).write_csv(source)
    with pytest.raises(InputError, match="no life of any component is known"):
        run(tmp_path, "fleet/data=auto", f"fleet.data.source={source}", stages=("prepare",))


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        run(tmp_path, "fleet/data=auto", f"fleet.data.source={tmp_path / 'nowhere'}", stages=("prepare",))
