import numpy as np
import polars as pl

from twinloop.prognostics.models.table import FeatureTable, component_age


def test_a_component_is_as_old_as_its_latest_life_that_had_begun() -> None:
    rows = [("a", 60.0), ("a", 120.0), ("a", 600.0), ("b", 60.0), ("c", 60.0)]
    table = FeatureTable.of(
        pl.DataFrame([(*row, 1.0) for row in rows], schema=["asset", "time_min", "x"], orient="row")
    )
    lives = pl.DataFrame(
        {
            "asset": ["a", "a", "a", "b", "c", "d"],
            "component": ["pump", "pump", "pump", "pump", "belt", "pump"],
            # Of a: one before its first row, one at its second, one that is still to come. Of b: still to come.
            "begin_min": [0.0, 120.0, 700.0, 90.0, 0.0, 0.0],
        }
    )
    assert component_age(table, lives, "pump").tolist() == [1.0, 0.0, 8.0, 0.0, 0.0]
    assert component_age(table, lives, "belt").tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert np.array_equal(component_age(table, lives, "lamp"), np.zeros(5))
