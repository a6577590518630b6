"""The book as a served model: availability, book, move and cancel over HTTP; what cannot be done is one line, 400."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.scheduling.booking.test_desk import HOSTILE, desk
from tests.tracking import conftest as stores
from tests.twins.served import post, refusal, serving
from twinloop.tracking.execution import find_or_create
from twinloop.tracking.store import Store
from twinloop.twins.fleet.serving.booking import CARD, register_booking, save_booking

empty_store, store = stores.empty_store, stores.store


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "model"
    save_booking(folder, book=desk().bookings, assets=desk().assets)
    return folder


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "book.jsonl"


@pytest.fixture(scope="module")
def url(folder: Path, journal: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWINLOOP_BOOK", str(journal))
        with serving(folder) as address:
            yield address


def ask(url: str, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    return post(url, "request", [json.dumps(request) for request in requests])


def test_a_visit_is_offered_agreed_moved_and_cancelled_and_the_server_remembers(url: str, journal: Path) -> None:
    (free,) = ask(url, {"action": "availability", "asset": "b"})
    assert [slot["day"] for slot in free["slots"]] == [0, 1, 2]
    (booked,) = ask(url, {"action": "book", "asset": "b", "day": 1})
    assert (booked["status"], booked["day"]) == ("agreed", 1)
    assert booked["moved"] == [{"asset": "a", "from_day": 1, "to_day": 0}]
    twice = refusal(url, "request", [json.dumps({"action": "book", "asset": "b", "day": 2})])
    assert twice == "booking: b is booked already, for day 1: move or cancel that visit"
    moved, gone = ask(url, {"action": "move", "asset": "b", "day": 2}, {"action": "cancel", "asset": "b"})
    assert (moved["day"], gone["status"]) == (2, "waiting")
    assert [json.loads(line)["action"] for line in journal.read_text().splitlines()] == ["book", "move", "cancel"]


def test_every_bad_request_is_one_line_with_status_400(url: str) -> None:
    bad = {
        "unknown asset 'VEH999'": {"action": "book", "asset": "VEH999", "day": 1},
        "unknown skill 'welder'": {"action": "book", "asset": "c", "day": 1, "skill": "welder", "minutes": 30},
        "day -2 is past": {"action": "book", "asset": "a", "day": -2},
        "day 3: the workshop is closed": {"action": "book", "asset": "a", "day": 3},
        "unknown asset '<script>": {"action": "book", "asset": "<script>x</script>", "day": 1},
    }
    for told, request in bad.items():
        assert told in refusal(url, "request", [json.dumps(request)])
    assert "expected numbers, got NaN" in refusal(url, "request", ['{"action": "book", "asset": "a", "day": NaN}'])
    assert "request" in refusal_of_shape(url)


def refusal_of_shape(url: str) -> str:
    import urllib.error

    with pytest.raises(urllib.error.HTTPError) as caught:
        post(url, "question", ["x"])
    assert caught.value.code == 400
    return caught.value.read().decode()


def test_of_several_rows_all_are_done_or_none(url: str, journal: Path) -> None:
    before = journal.read_text()
    rows = [{"action": "book", "asset": "a", "day": 2}, {"action": "book", "asset": "a", "day": 1}]
    told = refusal(url, "request", [json.dumps(row) for row in rows])
    assert told.startswith("row 2: booking: a is booked already")
    assert journal.read_text() == before
    assert ask(url, {"action": "availability", "asset": "a"})[0]["status"] == "proposed"


def test_a_server_that_starts_again_goes_on_from_what_was_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinloop.twins.fleet.serving.served_booking import ServedBooking

    def started() -> Any:
        served = ServedBooking()
        served.load_context(type("Context", (), {"artifacts": {"book": str(next(folder.rglob("book.json")))}}))
        return served

    def answered(served: Any, **request: Any) -> dict[str, Any]:
        import pandas as pd

        answer: dict[str, Any] = served.predict(None, pd.DataFrame({"request": [json.dumps(request)]}))[0]
        return answer

    monkeypatch.setenv("TWINLOOP_BOOK", str(tmp_path / "kept.jsonl"))
    first, beside = started(), started()
    wish = {"skill": "engine", "minutes": 5}
    answered(first, action="cancel", asset="b")
    assert answered(first, action="book", asset=HOSTILE, day=2, **wish)["status"] == "agreed"
    assert answered(beside, action="move", asset=HOSTILE, day=1)["day"] == 1
    assert answered(started(), action="availability", skill="engine", minutes=1)["slots"]
    # A step that was being written when a server ended was never answered.
    with (tmp_path / "kept.jsonl").open("ab") as kept:
        kept.write('{"action": "cancel", "asset": "ü'.encode()[:-1])
    assert answered(first, action="cancel", asset=HOSTILE)["status"] == "waiting"
    assert answered(started(), action="book", asset=HOSTILE, day=2)["status"] == "agreed"


def test_the_saved_model_is_source_and_data_with_a_signature(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".pyc")]
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert "python_model" not in described["flavors"]["python_function"], "that would be a pickle"
    assert '"request"' in described["signature"]["inputs"]
    assert '"slots"' in described["signature"]["outputs"]
    assert "torch" not in (folder / "requirements.txt").read_text()


def test_the_same_book_is_registered_once_and_another_one_anew(store: Store) -> None:
    execution = find_or_create(store, twin="fleet", key="k")

    def registered(book: Any) -> str:
        return register_booking(store, execution, book=book, assets=desk().assets)

    assert [registered(desk().bookings), registered(desk().bookings)] == ["1", "1"]
    assert registered(desk().bookings.accept("b")) == "2"
    assert store.client.get_model_version("fleet-booking", "1").description == CARD
