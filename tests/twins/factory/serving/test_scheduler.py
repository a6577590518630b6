"""The scheduler as a served model: an instance in, a plan out, over HTTP; what is no instance says why in one line."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.scheduling.shops import rich_shop, single
from tests.tracking import conftest as stores
from tests.twins.served import post, serving
from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.checker import check
from twinloop.scheduling.files.shop_json import shop_record
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.settings import ScheduleSettings
from twinloop.tracking.execution import find_or_create
from twinloop.tracking.store import Store
from twinloop.twins.factory.serving.scheduler import CARD, register_scheduler, save_scheduler

empty_store, store = stores.empty_store, stores.store
SETTINGS = ScheduleSettings(deterministic_limit=0.5, rules=("EDD",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "model"
    save_scheduler(folder, settings=SETTINGS)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address


def text(shop: JobShop) -> str:
    return json.dumps(shop_record(shop))


def test_instances_are_answered_with_valid_plans_and_bad_ones_with_one_line(url: str) -> None:
    plain, rich = single((30, 0, 50, 1), (10, 0, 15, 4), (25, 5, 60, 2)), rich_shop()
    late = single((30, 0, 20, 1), firm=True)
    unknown = shop_record(plain)
    unknown["jobs"][0]["operations"][0]["machine"] = "press"
    bad = ["", "{", "[1]", json.dumps(unknown), json.dumps({**shop_record(plain), "version": 1}), "[" * 100_000]
    answers = post(url, "instance", [text(plain), *bad, text(rich), text(late)])
    for shop, found in ((plain, answers[0]), (rich, answers[-2])):
        assert found["error"] is None
        assert found["status"] in ("optimal", "feasible")
        check(shop, Plan.of(Assignment(**row) for row in found["plan"]))
    assert answers[0]["objective"] == answers[0]["bound"]
    assert (answers[-1]["status"], answers[-1]["plan"]) == ("infeasible", [])
    assert "job a cannot meet its due date 20" in answers[-1]["reason"]
    errors = [found["error"] for found in answers[1:-2]]
    for error, expected in zip(
        errors,
        [
            "instance: expected a text",
            "instance:1: expected JSON",
            "instance: expected an object",
            "instance: job a operation 0: unknown machine 'press'; known: mill",
            "instance: expected version 2, found 1",
            "instance: expected JSON of a shop, got a text nested far too deep",
        ],
        strict=True,
    ):
        assert error.startswith(expected)
        assert "\n" not in error
        assert "Traceback" not in error


def test_a_request_of_another_shape_is_refused_with_the_expected_column(url: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(url, "shop", ["x"])
    assert caught.value.code == 400
    assert b"instance" in caught.value.read()


def test_the_saved_model_is_source_and_data_with_a_signature(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".pyc")]
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert "python_model" not in described["flavors"]["python_function"], "that would be a pickle"
    assert '"instance"' in described["signature"]["inputs"]
    assert '"plan"' in described["signature"]["outputs"]
    requirements = (folder / "requirements.txt").read_text()
    assert "ortools==" in requirements
    assert "torch" not in requirements


def test_the_same_settings_are_registered_once_and_other_ones_anew(store: Store) -> None:
    execution = find_or_create(store, twin="factory", key="k")

    def registered(settings: ScheduleSettings) -> str:
        return register_scheduler(store, execution, settings=settings)

    assert [registered(SETTINGS), registered(SETTINGS)] == ["1", "1"]
    assert registered(ScheduleSettings(deterministic_limit=0.4)) == "2"
    assert store.client.get_model_version("factory-scheduler", "1").description == CARD
