"""What users' own data are like on a bad day: each is refused in one clear line, or goes on and is counted."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.twins.fleet.small_loop import config, run
from twinloop.contracts import RiskTable
from twinloop.contracts.risk_table import Risk
from twinloop.errors import LONGEST, InputError
from twinloop.files import read_json
from twinloop.prognostics.data.layouts import read
from twinloop.prognostics.data.settings import DataSettings
from twinloop.prognostics.features.reference import Reference
from twinloop.prognostics.prepared import FILE, Prepared
from twinloop.twins.fleet import book, paths, plan

DAYS, EVERY_MIN = 60, 720.0
Tables = tuple[pl.DataFrame, pl.DataFrame]
Change = Callable[[pl.DataFrame, pl.DataFrame], Tables]


def tables(assets: tuple[str, ...]) -> Tables:
    """Vehicles whose brakes get hot until they fail, every 15 to 25 days."""
    rng, rows, failures = np.random.default_rng(3), [], []
    for asset in assets:
        begin, life = 0.0, rng.uniform(15, 25) * 1440
        for minute in np.arange(0.0, DAYS * 1440, EVERY_MIN):
            if minute - begin > life:
                failures.append((asset, minute, "brakes"))
                begin, life = minute, rng.uniform(15, 25) * 1440
            rows.append((asset, minute, rng.uniform(), 70 + 20 * ((minute - begin) / life) ** 2 + rng.normal()))
    readings = pl.DataFrame(rows, schema=["vehicle", "time_min", "load", "brake_temperature"], orient="row")
    kinds = {"vehicle": pl.String, "time_min": pl.Float64, "component": pl.String}
    return readings, pl.DataFrame(failures, schema=kinds, orient="row")


def unchanged(readings: pl.DataFrame, failures: pl.DataFrame) -> Tables:
    return readings, failures


def columns(**expressions: pl.Expr) -> Change:
    return lambda readings, failures: (readings.with_columns(**expressions), failures)


def of_failures(**expressions: pl.Expr) -> Change:
    return lambda readings, failures: (readings, failures.with_columns(**expressions))


def source(folder: Path, change: Change = unchanged, *, assets: tuple[str, ...] = tuple("ABCDEFGH")) -> Path:
    folder.mkdir()
    readings, failures = change(*tables(assets))
    readings.write_parquet(folder / "readings.parquet")
    failures.write_parquet(folder / "failures.parquet")
    return folder


def prepared(
    root: Path, change: Change = unchanged, *overrides: str, assets: tuple[str, ...] = tuple("ABCDEFGH")
) -> str:
    own = source(root / "source", change, assets=assets)
    return run(root, "fleet/data=auto", f"fleet.data.source={own}", *overrides, stages=("prepare",))["prepare"]


EMPTY = pl.lit(None, dtype=pl.Float64)
EARLY = pl.col("time_min") < 20 * 1440
ODD = pl.int_range(pl.len()) % 2 == 1
REFUSED: dict[str, tuple[Change, tuple[str, ...], str]] = {
    "capitals": (unchanged, ("A", "a", "B", "C", "D"), "assets 'A' and 'a' differ by capitals or blanks alone"),
    "blanks": (unchanged, ("van 1", "van 1 ", "B", "C", "D"), "assets 'van 1' and 'van 1 ' differ by capitals"),
    "capitals of components": (
        of_failures(component=pl.when(ODD).then(pl.lit("Brakes")).otherwise("component")),
        tuple("ABCDE"),
        "components 'Brakes' and 'brakes' differ by capitals",
    ),
    "one asset": (unchanged, ("A",), "0 rows for training and"),
    "all for training": (columns(split=pl.lit("train")), tuple("ABCDE"), "name 5 assets for training and 0 for test"),
    "a third side": (
        columns(split=pl.when(pl.col("vehicle") == "A").then(pl.lit("validation")).otherwise(pl.lit("train"))),
        tuple("ABCDE"),
        "split = 'validation': expected train, test",
    ),
    "an asset on both sides": (
        columns(split=pl.when(EARLY).then(pl.lit("train")).otherwise(pl.lit("test"))),
        tuple("ABCDE"),
        "expected every asset in training or in test, 5 are in both, first 'A'",
    ),
    "no failure and no repair": (lambda readings, failures: (readings, failures.clear()), tuple("ABC"), "no life of"),
    "the load is not measured": (
        lambda readings, failures: (readings.drop("load"), failures),
        tuple("ABC"),
        "FeatureSettings.load: unknown name 'load'; known: brake_temperature: name a sensor of the data, or none",
    ),
    "the load says nothing": (
        columns(load=EMPTY),
        tuple("ABCD"),
        "FeatureSettings.load: load shows no value in",
    ),
    "the load came late": (
        columns(load=pl.when(pl.col("time_min") > 50 * 1440).then("load")),
        tuple("ABCD"),
        "FeatureSettings.load: load shows no value in",
    ),
    "a vehicle is renamed": (
        columns(vehicle=pl.when(pl.col("vehicle") == "A").then(pl.lit("AB-123")).otherwise("vehicle")),
        tuple("ABCD"),
        "A: failure of brakes at minute",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_prepared_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    change, assets, words = REFUSED[name]
    with pytest.raises(InputError) as refused:
        prepared(tmp_path, change, assets=assets)
    message = str(refused.value)
    assert words in message
    assert len(message) <= LONGEST
    assert "\n" not in message
    assert not (tmp_path / paths.DATASET).exists()


@pytest.mark.parametrize(
    ("value", "missing"),
    [
        (EMPTY, 8 * 120),
        (pl.when(EARLY).then("brake_temperature"), 8 * 80),
        (pl.when(~EARLY).then("brake_temperature"), 8 * 40),
        (pl.when(pl.col("time_min") > 50 * 1440).then("brake_temperature"), 8 * 101),
    ],
    ids=["never", "vanishes", "begins late", "begins in the test"],
)
def test_a_sensor_without_values_is_counted_and_moves_no_other(value: pl.Expr, missing: int, tmp_path: Path) -> None:
    for name, change in {"with": columns(oil=value), "without": unchanged}.items():
        (tmp_path / name).mkdir()
        prepared(tmp_path / name, change)
    both = [Prepared.load(tmp_path / name / paths.DATASET) for name in ("with", "without")]
    assert both[0].about["left_out"]["values missing"] == missing
    tables_ = [one.table() for one in both]
    own = tuple(name for name in tables_[1].columns if name.startswith("brake_temperature."))
    assert np.array_equal(*(table.selected(own) for table in tables_), equal_nan=True)
    assert both[0].reference.sensors == (*both[1].reference.sensors, "oil")


def test_limits_that_are_not_known_survive_json(tmp_path: Path) -> None:
    prepared(tmp_path, columns(oil=EMPTY))
    record = read_json(tmp_path / paths.DATASET / "reference.json")
    assert record["low"][-1] is None
    assert np.isnan(Reference.of(record).low[-1])


def test_a_failure_noted_after_the_last_row_ends_the_life_that_ran(tmp_path: Path) -> None:
    """Telemetry stops with the vehicle: its life was not cut there, and no second one began."""
    folder, last = source(tmp_path / "source"), DAYS * 1440 - EVERY_MIN
    own = pl.read_parquet(folder / "failures.parquet").filter(pl.col("vehicle") != "A")
    late = pl.DataFrame({"vehicle": ["A"], "time_min": [last + 90.0], "component": ["brakes"]})
    pl.concat([own, late]).write_parquet(folder / "failures.parquet")
    lives = read(folder, DataSettings()).lives.filter(pl.col("asset") == "A")
    assert lives.select("begin_min", "end_min", "failed").rows() == [(0.0, last + 90.0, True)]


def test_a_repair_noted_after_the_last_row_cuts_the_life_there(tmp_path: Path) -> None:
    folder, last = source(tmp_path / "source"), DAYS * 1440 - EVERY_MIN
    own = pl.read_parquet(folder / "failures.parquet").filter(pl.col("vehicle") != "A")
    own.write_parquet(folder / "failures.parquet")
    late = pl.DataFrame({"vehicle": ["A"], "time_min": [last + 90.0], "component": ["brakes"], "end": [last + 200.0]})
    late.write_parquet(folder / "repairs.parquet")
    lives = read(folder, DataSettings()).lives.filter(pl.col("asset") == "A")
    assert lives.select("begin_min", "end_min", "failed").rows() == [(0.0, last + 90.0, False)]


def test_capitals_of_a_split_do_not_matter(tmp_path: Path) -> None:
    side = pl.when(pl.col("vehicle") < "C").then(pl.lit("Test ")).otherwise(pl.lit("TRAIN"))
    prepared(tmp_path, columns(split=side))
    assert Prepared.load(tmp_path / paths.DATASET).about["test_assets"] == ["A", "B"]


@pytest.mark.parametrize("name", ["absolute", "sensor", "kind_of_road", "rows", "regime"])
def test_a_sensor_may_be_called_what_the_reader_uses_itself(name: str, tmp_path: Path) -> None:
    folder = source(tmp_path / "source", columns(**{name: pl.col("load") * 2}))
    assert name in read(folder, DataSettings()).telemetry.sensors


def test_a_long_table_s_sensor_cannot_be_called_as_the_key(tmp_path: Path) -> None:
    rows = {"vehicle": ["A", "A"], "time_min": [0.0, 1.0], "sensor": ["asset", "asset"], "value": [1.0, 2.0]}
    pl.DataFrame(rows).write_csv(tmp_path / "readings.csv")
    with pytest.raises(InputError, match="a sensor cannot be called asset: rename it"):
        read(tmp_path, DataSettings())


def test_labels_in_columns_are_named_and_left_out(tmp_path: Path) -> None:
    prepared(tmp_path, columns(rul=pl.col("load"), failure_mode=pl.lit(0.0)))
    dataset = Prepared.load(tmp_path / paths.DATASET)
    assert dataset.about["leaks"] == ["rul", "failure_mode"]
    assert not [name for name in dataset.table().columns if name.startswith(("rul", "failure_mode"))]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _fewer(path: Path) -> None:
    frame = pl.read_parquet(path)
    frame.head(len(frame) // 2).write_parquet(path)


@pytest.mark.parametrize("damage", [_cut, _fewer, Path.unlink], ids=["truncated", "half of its rows", "gone"])
@pytest.mark.parametrize("name", ["windows", "lives", "events", "facts"])
def test_a_dataset_that_was_cut_between_stages_is_refused(
    name: str, damage: Callable[[Path], None], dataset: Path, tmp_path: Path
) -> None:
    shutil.copytree(dataset / paths.DATASET, tmp_path / paths.DATASET)
    damage(tmp_path / paths.DATASET / f"{name}.parquet")
    with pytest.raises(InputError, match="its tables are not those that were prepared"):
        run(tmp_path, stages=("train",))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"layout": "table"}'])
def test_a_dataset_s_description_that_was_cut_is_refused(text: str, dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset / paths.DATASET, tmp_path / paths.DATASET)
    (tmp_path / paths.DATASET / FILE).write_text(text)
    with pytest.raises(InputError, match="the prepare stage again|run it again"):
        Prepared.load(tmp_path / paths.DATASET)


def test_a_shown_table_that_was_cut_is_refused(dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset / paths.DATASET, tmp_path / paths.DATASET)
    _cut(tmp_path / paths.DATASET / "shown_windows.parquet")
    with pytest.raises(InputError, match=r"shown_windows\.parquet: cannot be read .* run the prepare stage again"):
        Prepared.load(tmp_path / paths.DATASET).table(shown=True)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small fleet of one's own, prepared; a name and a component are markup and a path."""
    root = tmp_path_factory.mktemp("own")
    prepared(root, of_failures(component=pl.lit("../../x")), assets=(SCRIPT, *"BCDEFGH"))
    return root


SCRIPT = "<script>alert(1)</script>"
OWN = ("fleet/data=auto",)


def test_a_component_called_as_a_path_stays_a_name(dataset: Path) -> None:
    before = set(dataset.rglob("*"))
    own = Prepared.load(dataset / paths.DATASET)
    assert own.about["components"] == ["../../x"]
    fleet = plan.described(config(*OWN).fleet, own, vehicles=2)
    assert fleet.parts == ("x",)
    assert set(dataset.rglob("*")) == before


def test_a_name_with_markup_stays_text_in_the_book(dataset: Path) -> None:
    own = Prepared.load(dataset / paths.DATASET)
    assert SCRIPT in own.table().assets
    risks = RiskTable.of(
        [
            Risk(SCRIPT, "../../x", hours, p, p, p, severity=5, cost=4000.0)
            for hours, p in ((24.0, 0.3), (168.0, 0.8), (336.0, 0.95))
        ],
        issued_min=DAYS * 1440.0,
        clock="calendar",
    )
    booked = book.opened(config(*OWN).fleet, own, risks, seed=1)
    assert booked.calendar()["asset"].to_list() == [SCRIPT]
    for html in (booked._repr_html_(), booked.slots(SCRIPT)._repr_html_()):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_components_that_would_share_a_name_are_refused(tmp_path: Path) -> None:
    name = pl.when(pl.int_range(pl.len()) % 2 == 1).then(pl.lit("pump (left)")).otherwise(pl.lit("pump/left"))
    prepared(tmp_path, of_failures(component=name))
    with pytest.raises(InputError, match="pump_left") as refused:
        plan.described(config(*OWN).fleet, Prepared.load(tmp_path / paths.DATASET), vehicles=2)
    assert "'pump (left)' and 'pump/left'" in str(refused.value)
