import numpy as np
import polars as pl
import pytest

from twinloop.errors import InputError
from twinloop.files import write_json
from twinloop.numbers import Interval
from twinloop.reporting.results import Outputs, estimate


def test_every_format_is_read_from_below_the_root(tmp_path):
    write_json(tmp_path / "a" / "b.json", {"x": 1})
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "b.parquet")
    pl.DataFrame({"x": [1]}).write_csv(tmp_path / "b.csv")
    np.savez(tmp_path / "b.npz", x=np.arange(3))
    outputs = Outputs(tmp_path)
    assert outputs.json("a/b.json") == {"x": 1}
    assert outputs.table(tmp_path / "b.parquet").equals(outputs.table(tmp_path / "b.csv"))
    assert outputs.arrays("b.npz")["x"].tolist() == [0, 1, 2]


def test_pickled_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "b.npz", x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        Outputs(tmp_path).arrays("b.npz")


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"c\.json: not there yet: run `make repro` first"):
        Outputs(tmp_path).json("c.json")


def test_an_estimate_without_interval_is_a_point():
    assert estimate({"gain": 2, "gain_low": 1, "gain_high": 3}, "gain") == Interval(2, 1, 3)
    assert estimate({"gain": 2, "gain_low": None}, "gain") == Interval(2, 2, 2)
