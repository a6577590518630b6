from pathlib import Path

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


@given(st.lists(ASSIGNMENTS))
def test_the_order_given_does_not_matter(assignments: list[Assignment]) -> None:
    assert sorted(map(repr, Plan.of(assignments))) == sorted(map(repr, assignments))
    starts = [assignment.start for assignment in Plan.of(assignments)]
    assert starts == sorted(starts)


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    plan = Plan.of([Assignment("a", 0, "mill", 0, 3), Assignment("a", 1, "press", 3, 5)])
    plan.save(tmp_path / "plan.parquet")
    assert Plan.load(tmp_path / "plan.parquet") == plan


def test_an_empty_plan_survives_saving(tmp_path: Path) -> None:
    Plan.of([]).save(tmp_path / "plan.parquet")
    assert Plan.load(tmp_path / "plan.parquet") == Plan.of([])


def test_another_parquet_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    pq.write_table(pa.table({"job": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="expected plan version 1, got None: plan the shop again"):
        Plan.load(tmp_path / "other.parquet")
