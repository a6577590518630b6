import dataclasses
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError

ASSIGNMENTS = st.builds(
    Assignment,
    job=st.sampled_from("abc"),
    operation=st.integers(0, 5),
    machine=st.sampled_from(["mill", "press"]),
    start=st.integers(0, 100),
    end=st.integers(0, 100),
)


def test_an_empty_plan_ends_at_once() -> None:
    assert Plan.of([]).makespan == 0
    assert len(Plan.of([])) == 0


def test_makespan_is_the_last_end_not_the_end_of_the_last_start() -> None:
    assert Plan.of([Assignment("a", 0, "mill", 0, 9), Assignment("b", 0, "press", 3, 5)]).makespan == 9


def test_rows_are_ordered_by_start_then_machine_then_job() -> None:
    ordered = [
        Assignment("z", 9, "mill", 0, 5),
        Assignment("a", 1, "mill", 3, 4),
        Assignment("a", 2, "mill", 3, 4),
        Assignment("b", 0, "mill", 3, 4),
        Assignment("a", 0, "press", 3, 4),
        Assignment("a", 3, "mill", 4, 5),
    ]
    assert list(Plan.of(reversed(ordered))) == ordered
    assert len(Plan.of(ordered)) == 6


def test_a_plan_cannot_be_changed_and_equal_rows_are_one() -> None:
    row = Assignment("a", 0, "mill", 0, 3)
    plan = Plan.of([row])
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.end = 4  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.assignments = ()  # type: ignore[misc]
    assert {row, Assignment("a", 0, "mill", 0, 3)} == {row}


def test_a_plan_is_a_table_of_its_operations() -> None:
    frame = Plan.of([Assignment("b", 0, "press", 3, 5), Assignment("a", 0, "mill", 0, 3)]).frame()
    assert frame.columns == ["job", "operation", "machine", "start", "end"]
    assert frame.rows() == [("a", 0, "mill", 0, 3), ("b", 0, "press", 3, 5)]


def test_a_plan_shows_itself_in_a_notebook() -> None:
    assert "1 operations of 1 jobs" in Plan.of([Assignment("a", 0, "mill", 0, 3)])._repr_html_()


@given(st.lists(ASSIGNMENTS))
def test_the_order_given_does_not_matter(assignments: list[Assignment]) -> None:
    assert sorted(map(repr, Plan.of(assignments))) == sorted(map(repr, assignments))
    starts = [assignment.start for assignment in Plan.of(assignments)]
    assert starts == sorted(starts)


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    plan = Plan.of([Assignment("a", 0, "mill", 0, 3), Assignment("a", 1, "press", 3, 5)])
    plan.save(tmp_path / "plan.parquet")
    assert Plan.load(tmp_path / "plan.parquet") == plan


def test_a_file_of_version_1_is_read_in_whatever_order_its_rows_are(tmp_path: Path) -> None:
    rows = {"job": ["b", "a"], "operation": [0, 0], "machine": ["mill", "mill"], "start": [3, 0], "end": [5, 3]}
    pl.DataFrame(rows).write_parquet(tmp_path / "plan.parquet", metadata={"twinloop.plan": "1"})
    assert [a.job for a in Plan.load(tmp_path / "plan.parquet")] == ["a", "b"]


def test_an_empty_plan_survives_saving(tmp_path: Path) -> None:
    Plan.of([]).save(tmp_path / "plan.parquet")
    assert Plan.load(tmp_path / "plan.parquet") == Plan.of([])


def test_another_parquet_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    pq.write_table(pa.table({"job": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="expected plan version 1, got None: plan the shop again"):
        Plan.load(tmp_path / "other.parquet")
