from pathlib import Path

import polars as pl
import pytest

from tests.prognostics.features.test_stream import EVENTS, EXPECTED, RECORD, REFERENCE, SETTINGS, UNITS, same_bits
from twinloop.errors import InputError
from twinloop.prognostics.features import files as module
from twinloop.prognostics.features.files import feature_files

ROWS = RECORD.frame.with_columns(pl.col("asset").cast(pl.String))


def written(folder: Path, *parts: pl.DataFrame) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for number, part in enumerate(parts):
        part.write_parquet(folder / f"{number}.parquet", row_group_size=100)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("rows_at_a_time", [5, 1 << 18])
@pytest.mark.parametrize("layout", ["a file per asset", "a file per span of time", "by time over all assets"])
def test_files_one_after_the_other_hold_the_same(
    tmp_path: Path, layout: str, rows_at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS", rows_at_a_time)
    early = pl.col("time_min") < 300
    parts = {
        "a file per asset": [ROWS.filter(pl.col("asset") == asset) for asset in "ab"],
        "a file per span of time": [ROWS.filter(early), ROWS.filter(~early)],
        "by time over all assets": [ROWS.sort("time_min", "asset"), ROWS.clear()],
    }[layout]
    files = written(tmp_path / "in", *parts)
    count = feature_files(files, tmp_path / "out", UNITS, REFERENCE, SETTINGS, events=EVENTS)
    made = [pl.read_parquet(path) for path in sorted((tmp_path / "out").iterdir())]
    assert len(made) == len(files) + 1
    assert count == len(EXPECTED)
    assert same_bits(pl.concat(made).sort("asset", "time_min"), EXPECTED)


def test_files_that_cannot_be_right_are_refused(tmp_path: Path) -> None:
    def refused(files: list[Path], words: str) -> None:
        with pytest.raises(InputError, match=words):
            feature_files(files, tmp_path / "out", UNITS, REFERENCE, SETTINGS)

    late, early = (ROWS.filter((pl.col("time_min") < 300) == is_early) for is_early in (False, True))
    refused(written(tmp_path / "a", late, early), r"1\.parquet: expected rows in order of time per asset, \d+ are not")
    refused(written(tmp_path / "b", ROWS, ROWS), "expected rows in order of time per asset")
    refused(written(tmp_path / "c", ROWS.drop("oil")), "expected the columns asset, time_min .* without 'oil'")
    lost = ROWS.with_columns(time_min=pl.when(pl.col("time_min") > 30).then(pl.col("time_min")))
    refused(written(tmp_path / "d", lost), "expected asset and time_min in every row, one of them is missing in")
    (tmp_path / "text.parquet").write_text("asset,time_min")
    refused([tmp_path / "text.parquet"], "text.parquet: expected a Parquet file, it cannot be read")
    refused([tmp_path / "none.parquet"], "none.parquet: expected a Parquet file, it cannot be read")
