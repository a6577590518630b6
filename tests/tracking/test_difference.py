"""Two executions that differ in one value do not look alike."""

import pytest

from twinloop.tracking import execution, view
from twinloop.tracking.execution import find_or_create
from twinloop.tracking.record import Outcome, record
from twinloop.tracking.store import Store
from twinloop.tracking.view import Columns

NO_COLUMNS = Columns((), {})


def name_of(store: Store, key: str, params: dict[str, object]) -> str:
    row = find_or_create(store, twin="factory", key=key)
    record(store, row, Outcome("synthetic · swin", NO_COLUMNS, {}, params, {}))
    return str(store.client.get_run(row.run_id).info.run_name)


def test_a_row_is_named_by_what_differs_from_the_one_before(store: Store) -> None:
    params = {"profile": "smoke", "factory": {"train": {"epochs": 3, "lr": 0.1}, "seed": 0}}
    assert name_of(store, "a", params) == "synthetic · swin"
    longer = {**params, "factory": {"train": {"epochs": 5, "lr": 0.1}, "seed": 0}}
    assert name_of(store, "b", longer) == "synthetic · swin · epochs=5"
    other = {**params, "factory": {"train": {"epochs": 6, "lr": 0.2}, "seed": 1}}
    assert name_of(store, "c", other) == "synthetic · swin · epochs=6, lr=0.2 +1"
    assert name_of(store, "d", {**params, "profile": "full"}) == "synthetic · swin · profile=full"
    assert name_of(store, "b", longer) == "synthetic · swin · epochs=5", "recorded again it keeps its name"


def test_the_name_that_dvc_gave_an_experiment_is_a_column(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "fuzzy-otter")
    tags = execution.tags("abc", profile="smoke")
    row = store.client.get_run(find_or_create(store, twin="factory", key="k", tags=tags).run_id)
    held = [row.data.tags[name] for name in (view.EXPERIMENT, view.PROFILE, view.REVISION)]
    assert held == ["fuzzy-otter", "smoke", "abc"]
