import math
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.prognostics.data import written
from twinloop.errors import InputError
from twinloop.prognostics.data.layouts import LAYOUTS, read, recognise
from twinloop.prognostics.data.settings import DataSettings

SOURCES: dict[str, Callable[[Path], Path]] = {
    "cmapss": written.cmapss,
    "obd": written.obd,
    "nab": written.nab,
    "azure": written.azure,
    "ai4i": lambda folder: written.ai4i(folder / "pieces.csv"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_layout_is_recognised_by_content(name: str, tmp_path: Path) -> None:
    best = recognise(SOURCES[name](tmp_path))[0]
    assert best.layout.name == name
    # Of NAB's folder, its profiles are no data.
    assert best.sureness == pytest.approx(2 / 3 if name == "nab" else 1.0)


def test_names_of_files_do_not_matter_where_columns_tell(tmp_path: Path) -> None:
    written.azure(tmp_path)
    for number, path in enumerate(sorted(tmp_path.iterdir())):
        path.rename(tmp_path / f"export_{number}.csv")
    assert recognise(tmp_path)[0].layout.name == "azure"


def test_files_that_are_left_out_are_counted(tmp_path: Path) -> None:
    written.obd(tmp_path)
    written.lines(tmp_path / "prices.csv", "item,price", "oil,3")
    record = read(tmp_path, DataSettings())
    assert record.layout == "obd"
    assert record.left_out["files of another kind"] == 1


def test_a_folder_of_mostly_something_else_is_refused(tmp_path: Path) -> None:
    written.obd(tmp_path)
    for number in range(4):
        written.lines(tmp_path / f"prices{number}.csv", "item,price", "oil,3")
    with pytest.raises(InputError, match="2 of 6 files look like obd, not prices0.csv"):
        read(tmp_path, DataSettings())
    assert len(read(tmp_path, DataSettings(kind="obd")).telemetry.assets) == 2


def test_what_nobody_knows_is_refused(tmp_path: Path) -> None:
    written.lines(tmp_path / "prices.csv", "item,price", "oil,3")
    with pytest.raises(InputError, match="expected one of cmapss, azure, ai4i, obd, nab, table, no file is that"):
        read(tmp_path, DataSettings())
    with pytest.raises(InputError, match="no such file or folder"):
        read(tmp_path / "nothing", DataSettings())


def test_every_layout_has_a_kind_and_every_kind_a_layout() -> None:
    for layout in LAYOUTS:
        assert DataSettings(kind=layout.name).kind == layout.name


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz"])
def test_turbofans_have_lives_that_end_in_failure(suffix: str, tmp_path: Path) -> None:
    record = read(written.cmapss(tmp_path, suffix=suffix), DataSettings())
    train, test = record.of_split("train"), record.of_split("test")
    assert train.telemetry.assets == ("train_001", "train_002", "train_003")
    assert train.lives["end_min"].to_list() == [30 * 60, 40 * 60, 35 * 60]
    # 20 cycles were seen and 7 remain.
    assert test.lives["end_min"].to_list() == [27 * 60, 34 * 60]
    assert record.lives["failed"].all()
    assert record.clock == "work"


def test_test_units_without_remaining_lives_are_cut(tmp_path: Path) -> None:
    written.cmapss(tmp_path)
    (tmp_path / "RUL_FD001.txt").unlink()
    lives = read(tmp_path, DataSettings()).of_split("test").lives
    assert not lives["failed"].any()
    assert lives["end_min"].to_list() == [20 * 60, 25 * 60]


def test_of_several_fleets_one_is_chosen(tmp_path: Path) -> None:
    written.cmapss(written.cmapss(tmp_path), subset="FD002")
    with pytest.raises(InputError, match="subset to be one of FD001, FD002, got ''"):
        read(tmp_path, DataSettings())
    assert len(read(tmp_path, DataSettings(subset="fd002")).telemetry.assets) == 5


def test_remaining_lives_of_another_fleet_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"one remaining life per test unit \(2\), the RUL file has 3"):
        read(written.cmapss(tmp_path, remaining=(7, 9, 11)), DataSettings())


@pytest.mark.parametrize("remaining", [(7, -9), (math.inf, 9), (math.nan, 9)])
def test_a_life_that_ends_before_its_last_row_is_refused(remaining: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected cycles that remain, from 0 on"):
        read(written.cmapss(tmp_path, remaining=remaining), DataSettings())


def test_turbofans_parted_by_commas_are_the_same(tmp_path: Path) -> None:
    blanks = read(written.cmapss(tmp_path), DataSettings())
    for path in [*tmp_path.glob("train*"), *tmp_path.glob("test*")]:
        rows = [",".join(line.split()) for line in path.read_text().splitlines()]
        written.lines(path.with_suffix(".csv"), *rows)
        path.unlink()
    commas = read(tmp_path, DataSettings())
    assert commas.layout == "cmapss"
    assert commas.telemetry.frame.equals(blanks.telemetry.frame)


def test_a_cycle_that_is_missing_is_refused(tmp_path: Path) -> None:
    written.cmapss(tmp_path)
    path = tmp_path / "train_FD001.txt"
    path.write_text(
        "".join(path.read_text().splitlines(keepends=True)[:5] + path.read_text().splitlines(keepends=True)[6:])
    )
    with pytest.raises(InputError, match="expected cycles 1, 2, 3 … of every unit, 1 steps differ"):
        read(tmp_path, DataSettings())


def test_a_drive_is_an_asset_of_a_row_a_second(tmp_path: Path) -> None:
    record = read(written.obd(tmp_path), DataSettings())
    assert record.telemetry.assets == ("drive1", "drive2")
    assert record.telemetry.of_asset("drive1")["time_min"][60] == 1.0
    assert record.telemetry.units["engine_rpm"] == "rpm"
    assert record.left_out["columns unknown"] == 2


def test_labelled_windows_are_on_the_clock_of_their_series(tmp_path: Path) -> None:
    record = read(written.nab(tmp_path), DataSettings())
    assert record.telemetry.start == "2014-07-01T00:00:00+00:00"
    assert record.windows.row(0) == ("taxi", 120.0, 180.0)


def test_failure_modes_are_labels_and_no_sensors(tmp_path: Path) -> None:
    source = written.ai4i(tmp_path / "pieces.csv")
    record = read(source, DataSettings())
    assert not {"twf", "hdf", "pwf", "osf", "rnf", "machine_failure"} & set(record.telemetry.sensors)
    assert record.leaks == ("Machine failure", "TWF", "HDF", "PWF", "OSF", "RNF")
    assert sorted(record.events["component"]) == ["machine", "overstrain", "power", "tool wear"]
    assert "twf" in read(source, DataSettings(with_leaks=True)).telemetry.sensors


def test_five_tables_meet_on_one_clock(tmp_path: Path) -> None:
    source = written.azure(tmp_path)
    with pytest.raises(InputError, match="timestamps without a zone, an hour of them comes twice a year"):
        read(source, DataSettings())
    record = read(source, DataSettings(zone="UTC"))
    assert record.telemetry.start == "2015-01-01T06:00:00+00:00"
    failure = record.events.filter(pl.col("kind") == "failure").row(0, named=True)
    assert (failure["asset"], failure["component"], failure["time_min"]) == ("001", "comp4", 4 * 1440)
    assert record.left_out["assets without telemetry"] == 1
    lives = record.lives.filter((pl.col("asset") == "001") & (pl.col("component") == "comp4"))
    # Its replacement at the minute of the failure is the same end, and the next life is cut by the last row.
    assert lives["failed"].to_list() == [True, False]
    assert lives["begin_min"].to_list() == [0.0, 4 * 1440.0]


@pytest.mark.parametrize(
    ("folder", "settings", "assets"),
    [
        ("cmapss", DataSettings(subset="FD001"), 200),
        ("car_obd", DataSettings(), 11),
        ("nab_real_known_cause", DataSettings(), 7),
    ],
)
def test_real_collections_are_read_as_they_lie(
    folder: str, settings: DataSettings, assets: int, shared_data: Path
) -> None:
    source = shared_data / folder
    if not source.is_dir():
        pytest.skip(f"no {folder} at {source}")
    record = read(source, settings)
    assert len(record.telemetry.assets) == assets
    assert folder != "nab_real_known_cause" or len(record.windows) == 19


DRIVE = "ENGINE_RPM (rpm),VEHICLE_SPEED (mph),COOLANT_TEMPERATURE (°F)"


def drive(path: Path, header: str = DRIVE, *, before: Callable[[int], str] = lambda k: "") -> Path:
    return written.lines(path, header, *(f"{before(k)}{800 + k},{k % 50},{180 + k % 9}" for k in range(30)))


def test_units_of_a_drive_are_those_of_its_heading(tmp_path: Path) -> None:
    drive(tmp_path / "a.csv")
    units = read(tmp_path, DataSettings()).telemetry.units
    assert units == {"engine_rpm": "rpm", "speed": "mph", "coolant_temperature": "°F"}
    drive(tmp_path / "b.csv", DRIVE.replace("mph", "km/h"))
    with pytest.raises(InputError, match="sensor speed is in 'km/h' here and in 'mph' elsewhere"):
        read(tmp_path, DataSettings())


def test_a_drive_with_times_goes_by_them(tmp_path: Path) -> None:
    drive(tmp_path / "a.csv", f"time (s),{DRIVE}", before=lambda k: f"{10 * k},")
    telemetry = read(tmp_path, DataSettings()).telemetry
    assert telemetry.frame["time_min"].max() == pytest.approx(29 * 10 / 60)
    assert "vehicle_speed" in telemetry.sensors


@pytest.mark.parametrize("kind", ["obd", "table"])
def test_files_of_one_name_in_two_folders_are_two_assets(kind: str, tmp_path: Path) -> None:
    header, before = (DRIVE, lambda k: "") if kind == "obd" else ("time_min,a,b,c", lambda k: f"{k},")
    for folder in ("march", "april"):
        drive(tmp_path / folder / "drive.csv", header, before=before)
    assert read(tmp_path, DataSettings()).telemetry.assets == ("april/drive", "march/drive")


def test_series_of_one_name_and_windows_outside_are_refused(tmp_path: Path) -> None:
    written.nab(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/taxi.csv").write_bytes((tmp_path / "a/taxi.csv").read_bytes())
    with pytest.raises(InputError, match="another series has this name"):
        read(tmp_path, DataSettings(kind="nab"))
    series = tmp_path / "a/taxi.csv"
    series.write_text(series.read_text().replace(":00,", ":00+09:00,"))
    with pytest.raises(InputError, match="taxi: a window lies outside its series .1 such.: write both in one zone"):
        read(tmp_path / "a", DataSettings())


def test_pieces_go_by_their_numbers_machines_and_times(tmp_path: Path) -> None:
    header, *rows = written.ai4i(tmp_path / "a.csv").read_text().splitlines()
    ordered = read(tmp_path, DataSettings())
    written.lines(tmp_path / "a.csv", header, *sorted(rows, reverse=True))
    assert read(tmp_path, DataSettings()).telemetry.frame.equals(ordered.telemetry.frame)
    rows = [f"m{k % 2},2026-03-01T{k // 4:02d}:{k % 4 * 15:02d}:00Z,{k % 5},{row}" for k, row in enumerate(rows)]
    written.lines(tmp_path / "a.csv", f"machine_id,time,Vibration [mm/s],{header}", *rows)
    record = read(tmp_path, DataSettings())
    assert record.telemetry.assets == ("m0", "m1")
    assert record.telemetry.units["vibration"] == "mm/s"
    assert record.telemetry.start == "2026-03-01T00:00:00+00:00"
    # Pieces 20, 40 (of two modes) and 50, a quarter of an hour apart.
    assert record.events["time_min"].unique().sort().to_list() == [19 * 15.0, 39 * 15.0, 49 * 15.0]


def test_sensors_beside_the_four_are_kept_and_row_numbers_left_out(tmp_path: Path) -> None:
    written.azure(tmp_path)
    for path in tmp_path.glob("*.csv"):
        header, *rows = path.read_text().splitlines()
        oil = path.name == "PdM_telemetry.csv"
        head = f",{header}{',oil (bar)' if oil else ''}"
        written.lines(path, head, *(f"{k},{row}{f',{k % 7}' if oil else ''}" for k, row in enumerate(rows)))
    record = read(tmp_path, DataSettings(zone="UTC"))
    assert record.layout == "azure"
    assert record.telemetry.units["oil"] == "bar"
    assert record.left_out["columns without a heading"] == 1
    assert record.lives["failed"].any()
