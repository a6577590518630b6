"""Whether a store has the row of what the pipeline made, asked of the file and of MLflow's client alike."""

from pathlib import Path

import pytest

from twinloop.tracking.execution import Execution, find_or_create
from twinloop.tracking.recorded import OUTPUTS, is_recorded
from twinloop.tracking.store import FILE, FOLDER, Store


@pytest.fixture
def row(store: Store) -> Execution:
    """A finished row of outputs "made"."""
    execution = find_or_create(store, twin="factory", key="k")
    store.client.set_tag(execution.run_id, OUTPUTS, "made")
    store.client.set_terminated(execution.run_id, "FINISHED")
    return execution


def known(root: Path, *, outputs: str = "made", models: tuple[str, ...] = ()) -> bool:
    return is_recorded(None, root, twin="factory", outputs=outputs, models=models)


def test_a_finished_row_of_the_same_outputs_is_enough(row: Execution, tmp_path: Path) -> None:
    assert known(tmp_path)
    assert not known(tmp_path, outputs="other")
    assert not is_recorded(None, tmp_path, twin="fleet", outputs="made")


def test_a_row_in_the_bin_or_of_a_stage_that_failed_is_not(row: Execution, store: Store, tmp_path: Path) -> None:
    store.client.set_terminated(row.run_id, "FAILED")
    assert not known(tmp_path)
    store.client.set_terminated(row.run_id, "FINISHED")
    store.client.delete_run(row.run_id)
    assert not known(tmp_path)


def test_a_model_that_is_not_registered_is_missed(row: Execution, store: Store, tmp_path: Path) -> None:
    assert not known(tmp_path, models=("factory-detector",))
    store.client.create_registered_model("factory-detector")
    store.client.create_model_version("factory-detector", source=f"runs:/{row.run_id}/detector", run_id=row.run_id)
    assert known(tmp_path, models=("factory-detector",))


@pytest.mark.usefixtures("row")
def test_another_or_a_deleted_store_knows_nothing_and_is_not_made_by_asking(tmp_path: Path) -> None:
    assert not is_recorded("sqlite:///other.db", tmp_path, twin="factory", outputs="made")
    assert not (tmp_path / "other.db").exists()
    (tmp_path / FOLDER / FILE).unlink()
    assert not known(tmp_path)
    assert not (tmp_path / FOLDER / FILE).exists()
