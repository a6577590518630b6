from pathlib import Path

import polars as pl
import pytest

from tests.prognostics.data.written import lines
from twinloop.errors import LONGEST, InputError
from twinloop.prognostics.data.layouts import read
from twinloop.prognostics.data.record import check_disjoint
from twinloop.prognostics.data.settings import DataSettings

READINGS = ("vehicle,time_min,oil (°C),speed", *(f"a,{k},{80 + k % 3},{k % 7}" for k in range(10)))


def source(folder: Path, **tables: tuple[str, ...]) -> Path:
    for name, rows in {"readings": READINGS, **tables}.items():
        lines(folder / f"{name}.csv", *rows)
    return folder


def test_long_and_wide_tables_give_the_same(tmp_path: Path) -> None:
    wide = read(source(tmp_path / "wide"), DataSettings()).telemetry
    long = [
        f"a;{k};{name};{value};{unit}"
        for k in range(10)
        for name, value, unit in (("oil", 80 + k % 3, "°C"), ("speed", k % 7, ""))
    ]
    lines(tmp_path / "long/readings.csv", "machine;time_min;sensor;value;unit", *long)
    telemetry = read(tmp_path / "long", DataSettings()).telemetry
    assert telemetry.frame.equals(wide.frame)
    assert dict(telemetry.units) == dict(wide.units) == {"oil": "°C", "speed": ""}


def test_parquet_reads_as_csv_does(tmp_path: Path) -> None:
    expected = read(source(tmp_path), DataSettings()).telemetry
    frame = pl.read_csv(tmp_path / "readings.csv")
    (tmp_path / "parquet").mkdir()
    frame.write_parquet(tmp_path / "parquet/readings.parquet")
    assert read(tmp_path / "parquet", DataSettings()).telemetry.frame.equals(expected.frame)


def test_times_in_several_zones_meet_on_one_clock(tmp_path: Path) -> None:
    rows = ("2026-03-01T06:00:00+01:00", "2026-03-01T05:10:00Z", "2026-03-01T00:20:00-05:00")
    lines(tmp_path / "r.csv", "machine,timestamp,load", *(f"m,{t},1" for t in rows))
    telemetry = read(tmp_path, DataSettings()).telemetry
    assert telemetry.start == "2026-03-01T05:00:00+00:00"
    assert telemetry.frame["time_min"].to_list() == [0.0, 10.0, 20.0]


def test_a_decimal_comma_and_no_asset_column(tmp_path: Path) -> None:
    lines(tmp_path / "press.csv", "time_s;force (kN)", *(f"{60 * k};{k},5" for k in range(5)))
    telemetry = read(tmp_path, DataSettings()).telemetry
    assert telemetry.assets == ("press",)
    assert telemetry.frame["time_min"].to_list() == [0, 1, 2, 3, 4]
    assert telemetry.frame["force"].to_list() == [0.5, 1.5, 2.5, 3.5, 4.5]


def test_events_and_lives_follow_from_tables_beside(tmp_path: Path) -> None:
    record = read(
        source(
            tmp_path,
            failures=("vehicle,time_min,component,repaired_at", "a,4,brakes,5"),
            services=("vehicle,time_min,component", "a,7,engine"),
            fleet=("vehicle,model", "a,van", "b,lorry"),
        ),
        DataSettings(),
    )
    assert record.events["kind"].to_list() == ["failure", "maintenance"]
    brakes = record.lives.filter(pl.col("component") == "brakes")
    assert brakes.select("begin_min", "end_min", "failed").rows() == [(0.0, 4.0, True), (5.0, 9.0, False)]
    assert record.facts["asset"].to_list() == ["a"]
    assert record.left_out["assets without telemetry"] == 1


def test_columns_that_tell_the_label_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    rows = ("unit,cycle,load,RUL,failure_mode", *(f"a,{k},{k % 3},{9 - k},0" for k in range(10)))
    lines(tmp_path / "r.csv", *rows)
    record = read(tmp_path, DataSettings())
    assert record.telemetry.sensors == ("load",)
    assert record.leaks == ("RUL", "failure_mode")
    assert read(tmp_path, DataSettings(with_leaks=True)).telemetry.sensors == ("load", "rul", "failure_mode")


DST = tuple(f"m,2025-10-26 {h:02d}:{m:02d}:00,{h}" for h in (1, 2, 3) for m in (0, 30))
BAD: dict[str, tuple[dict[str, tuple[str, ...]], dict[str, object], str]] = {
    "duplicates": (
        {"readings": (*READINGS[:5], "a,3,80,1", *READINGS[5:])},
        {},
        "a: minute 3 comes twice (1 such rows): drop the duplicates, or set DataSettings.duplicates",
    ),
    "clock jumps back": (
        {"readings": ("unit,time_min,x", *(f"a,{k},{k % 5}" for k in (*range(30), *(q + 0.5 for q in range(10, 40)))))},
        {},
        "a: the clock jumps back 1×, first to minute 10.5",
    ),
    "mixed zones": (
        {"readings": ("unit,timestamp,x", "a,2026-03-01 06:00:00,1", "a,2026-03-01T06:10:00Z,1")},
        {"zone": "UTC"},
        "expected a zone in every timestamp or in none, 1 of 2 lack one",
    ),
    "no zone": (
        {"readings": ("unit,timestamp,x", "a,2026-03-01 06:00:00,1", "a,2026-03-01 06:10:00,1")},
        {},
        "timestamps without a zone",
    ),
    "unknown zone": (
        {"readings": ("unit,timestamp,x", "a,2026-03-01 06:00:00,1", "a,2026-03-01 06:10:00,1")},
        {"zone": "Berlin"},
        "expected a name of the IANA list",
    ),
    "hour twice": (
        {"readings": ("unit,timestamp,x", *DST)},
        {"zone": "Europe/Berlin"},
        "2025-10-26 02:00:00 comes twice in Europe/Berlin (2 such)",
    ),
    "hour skipped": (
        {"readings": ("unit,timestamp,x", "a,2026-03-29 01:30:00,1", "a,2026-03-29 02:30:00,1")},
        {"zone": "Europe/Berlin"},
        "2026-03-29 02:30:00 is a time that clocks in Europe/Berlin skip",
    ),
    "drift": (
        {"readings": ("unit,time_min,received,x", *(f"a,{k * 1.01},{k},{k % 3}" for k in range(0, 3000, 30)))},
        {},
        "a: its clock drifts +14.4 minutes a day",
    ),
    "unit changes": (
        {
            "readings": (
                "unit,time_min,oil",
                *(f"a,{k},{t}" for k in range(80) for t in [70 + k % 5 if k < 40 else 158 + k % 9]),
            )
        },
        {},
        "a: oil: its unit seems to change at minute 40 (°C to °F)",
    ),
    "two units": (
        {"readings": ("asset,time_min,sensor,value,unit", "a,0,p,1,bar", "a,1,p,100,kPa")},
        {},
        "sensor p: expected one unit, got 'bar', 'kPa'",
    ),
    "label too early": (
        {"failures": ("vehicle,time_min,component", "a,-5,brakes")},
        {},
        "a: failure of brakes at minute -5 is before its asset's telemetry",
    ),
    "vehicle without history": (
        {"failures": ("vehicle,time_min,component", "z,5,brakes")},
        {},
        "z: failure of brakes at minute 5 is of an asset without telemetry",
    ),
    "repair before failure": (
        {"failures": ("vehicle,time_min,component,repaired_at", "a,5,brakes,3")},
        {},
        "a: failure of brakes at minute 5 is repaired before it failed",
    ),
    "visits overlap": (
        {"visits": ("vehicle,time_min,component,end", "a,2,brakes,6", "a,4,brakes,7")},
        {},
        "a: maintenance of brakes at minute 4 is overlapping the visit before",
    ),
    "one row": ({"readings": READINGS[:2]}, {}, "expected rows with asset and time, none is left"),
    "test in training": (
        {"readings": ("unit,time_min,x,split", "a,0,1,train", "a,1,2,test", "b,0,1,train", "b,1,2,train")},
        {},
        "expected every asset in training or in test, 1 are in both, first 'a'",
    ),
    "control character": ({"readings": ("unit,time_min,x", "a\x1b[31m,0,1", "a\x1b[31m,1,2")}, {}, "printable letters"),
    "endless name": (
        {"readings": ("unit,time_min,x", *(f"{'a' * 5000},{k},{k}" for k in range(3)))},
        {},
        "expected a name of 1 to 80 printable letters",
    ),
    "text for a time": (
        {"readings": ("unit,time_min,x", "a,yesterday,1", "a,1,2")},
        {},
        "expected minutes or ISO 8601",
    ),
    "kind of event": (
        {"log": ("vehicle,time_min,kind", "a,1,explosion")},
        {},
        "kind 'explosion': expected failure, maintenance, error",
    ),
    "minutes and timestamps": (
        {"failures": ("vehicle,timestamp,component", "a,2026-03-01T06:00:00Z,brakes")},
        {},
        "expected times as the readings have them",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_line(name: str, tmp_path: Path) -> None:
    tables, settings, words = BAD[name]
    with pytest.raises(InputError) as refused:
        read(source(tmp_path, **tables), DataSettings(**settings))
    message = str(refused.value)
    assert words in message
    assert len(message) <= LONGEST
    assert "\n" not in message


POLICIES: dict[str, tuple[str, dict[str, object], str, int]] = {
    "duplicates": ("duplicates", {"duplicates": "last"}, "rows of one time", 1),
    "clock jumps back": ("clock jumps back", {"backwards": "drop"}, "rows of a clock that jumped back", 19),
    "unit changes": ("unit changes", {"unit_change": "missing"}, "values of another unit", 40),
    "label too early": ("label too early", {"contradictions": "drop"}, "events before its asset's telemetry", 1),
    "repair before failure": (
        "repair before failure",
        {"contradictions": "drop"},
        "events repaired before it failed",
        1,
    ),
    "visits overlap": ("visits overlap", {"contradictions": "drop"}, "events overlapping the visit before", 1),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_goes_on_and_counts(name: str, tmp_path: Path) -> None:
    case, settings, reason, count = POLICIES[name]
    tables, given, _ = BAD[case]
    record = read(source(tmp_path, **tables), DataSettings(**given, **settings))
    assert record.left_out[reason] == count


def test_a_receiver_s_clock_replaces_one_that_drifts(tmp_path: Path) -> None:
    tables, _, _ = BAD["drift"]
    telemetry = read(source(tmp_path, **tables), DataSettings(drift="received")).telemetry
    assert telemetry.frame["time_min"].to_list() == [float(k) for k in range(0, 3000, 30)]


def test_the_hour_that_comes_twice_is_taken_as_told(tmp_path: Path) -> None:
    tables, _, _ = BAD["hour twice"]
    made = read(source(tmp_path, **tables), DataSettings(zone="Europe/Berlin", ambiguous="earliest")).telemetry
    # From 02:30 summer time to 03:00 winter time it is an hour and a half.
    assert made.frame["time_min"].diff().drop_nulls().to_list() == [30, 30, 30, 90, 30]


def test_what_is_not_finite_missing_stuck_or_far_apart_is_counted(tmp_path: Path) -> None:
    values = ["nan", "inf", "", *(str(k % 4) for k in range(20)), *["3.5"] * 12, "1", "2"]
    minutes = [*range(len(values) - 1), 500]
    rows = ("unit,time_min,x", *(f"a,{t},{v}" for t, v in zip(minutes, values, strict=True)))
    lines(tmp_path / "r.csv", *rows)
    record = read(tmp_path, DataSettings(stuck_rows=10, stuck="missing", missing="hold", hold_rows=2))
    assert record.left_out["values not finite"] == 2
    assert record.left_out["values missing"] == 3
    assert record.left_out["gaps"] == 1
    assert record.left_out["values of a stuck sensor"] == 3
    # Three were missing at the start, where there is nothing to hold, and of three stuck ones two are held.
    assert record.telemetry.missing == 4


def test_a_shuffled_file_is_put_in_order(tmp_path: Path) -> None:
    ordered = read(source(tmp_path / "a"), DataSettings()).telemetry
    shuffled = (READINGS[0], *(READINGS[1 + k * 7 % 10] for k in range(10)))
    record = read(source(tmp_path / "b", readings=shuffled), DataSettings())
    assert record.telemetry.frame.equals(ordered.frame)
    assert record.left_out["rows not in order of time"] > 0


def test_an_asset_of_one_row_is_left_out_and_counted(tmp_path: Path) -> None:
    record = read(source(tmp_path, readings=(*READINGS, "b,0,80,1")), DataSettings())
    assert record.telemetry.assets == ("a",)
    assert record.left_out["assets with fewer than 2 rows"] == 1


def test_assets_on_both_sides_are_refused() -> None:
    check_disjoint(["a"], ["b"])
    with pytest.raises(InputError, match="1 are in both, first 'b': split by asset, not by row"):
        check_disjoint(["a", "b"], ["b", "c"])


def test_what_is_larger_unpacked_than_allowed_is_refused(tmp_path: Path) -> None:
    lines(tmp_path / "r.csv.gz", "unit,time_min,x", *("a,1,1" for _ in range(10_000)))
    with pytest.raises(InputError, match="more than 1000 bytes unpacked: raise DataSettings.max_bytes"):
        read(tmp_path, DataSettings(max_bytes=1000))


def test_a_damaged_archive_is_one_line(tmp_path: Path) -> None:
    path = lines(tmp_path / "r.csv.gz", "unit,time_min,x", *(f"a,{k},{k * k}" for k in range(2000)))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="cannot be read"):
        read(path, DataSettings())


@pytest.mark.parametrize("name", ["failures_2025", "vehicle-failures", "Failures"])
def test_a_table_of_events_is_known_by_a_word_of_its_name(name: str, tmp_path: Path) -> None:
    rows = ("vehicle,time_min,component,cost", "a,4,brakes,500", "a,6,,20")
    record = read(source(tmp_path, **{name: rows}), DataSettings())
    assert record.events.select("component", "kind").rows() == [("brakes", "failure"), ("", "failure")]
    assert "cost" not in record.telemetry.sensors


def test_a_column_of_kinds_alone_makes_no_table_of_events(tmp_path: Path) -> None:
    record = read(source(tmp_path, readings=("vehicle,time_min,x,kind", "a,0,1,van", "a,1,2,van")), DataSettings())
    assert record.telemetry.sensors == ("x",)
    assert record.left_out["column of text: kind"] == 1


def test_an_encoding_and_a_spreadsheet_s_hint_do_not_matter(tmp_path: Path) -> None:
    rows = ("vehicle;time_min;Öl (°C)", *(f"a;{k};1.09{k},5" for k in range(5)), "a;5;900,5")
    for place, (encoding, before) in enumerate(
        [("utf-8-sig", ""), ("cp1252", ""), ("utf-16", ""), ("utf-8", "sep=;\n")]
    ):
        path = tmp_path / str(place) / "r.csv"
        path.parent.mkdir()
        path.write_text(before + "\n".join(rows), encoding=encoding)
        telemetry = read(path, DataSettings()).telemetry
        assert telemetry.units == {"öl": "°C"}
        assert telemetry.frame["öl"].to_list() == [1090.5, 1091.5, 1092.5, 1093.5, 1094.5, 900.5]


def test_texts_that_say_numbers_are_sensors_and_others_are_named(tmp_path: Path) -> None:
    rows = ("vehicle\ttime_min\toil\tlamp\tnote\tdead", *(f"a\t{k}\t9{k},5\t{k > 1}\tfine\t" for k in range(4)))
    record = read(lines(tmp_path / "r.tsv", *rows), DataSettings())
    assert record.telemetry.frame.select("oil", "lamp").rows() == [(90.5, 0), (91.5, 0), (92.5, 1), (93.5, 1)]
    assert record.left_out == {"column of text: note": 1, "sensor without a value: dead": 1, "values missing": 4}


def test_numbers_of_assets_are_one_name_in_every_table(tmp_path: Path) -> None:
    pl.DataFrame({"asset": [7.0, 7.0], "time_min": [0, 9], "x": [1, 2]}).write_parquet(tmp_path / "r.parquet")
    lines(tmp_path / "failures.csv", "asset,time_min,component", "7,5,brakes")
    assert read(tmp_path, DataSettings()).events["asset"].to_list() == ["7"]


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"readings": ("vehicle,time_min,note", "a,0,x", "a,1,y")}, "expected a column of numbers"),
        ({"readings": ("vehicle,time_min,dead", "a,0,", "a,1,")}, "expected a column of numbers"),
        ({"readings": ("vehicle,time_min,x,x", "a,0,1,2", "a,1,2,3")}, "two columns are called x: rename one"),
        ({"fleet": ("vehicle,model", "a,van", "a,lorry")}, "a: expected one model, got 2"),
    ],
)
def test_a_table_that_says_nothing_or_two_things_is_refused(
    tables: dict[str, tuple[str, ...]], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        read(source(tmp_path, **tables), DataSettings())


def test_an_asset_s_facts_may_stand_in_two_tables(tmp_path: Path) -> None:
    record = read(source(tmp_path, fleet=("vehicle,model", "a,van"), machines=("machine,age", "a,5")), DataSettings())
    assert record.facts.rows(named=True) == [{"asset": "a", "model": "van", "age": "5"}]
