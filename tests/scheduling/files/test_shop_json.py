from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.scheduling.shops import rich_shop, shops
from twinloop.errors import InputError
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.files.shop_json import read_shop, write_shop
from twinloop.scheduling.problem import JobShop, Window


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(shop=shops())
def test_json_reads_back_equal(shop: JobShop, tmp_path: Path) -> None:
    write_shop(tmp_path / "shop.json", shop)
    assert read_shop(tmp_path / "shop.json") == shop


def test_everything_a_shop_can_have_reads_back_equal(tmp_path: Path) -> None:
    write_shop(tmp_path / "shop.json", rich_shop())
    assert read_shop(tmp_path / "shop.json") == rich_shop()


HEAD = '{"version": 2, "machines": ["mill"], "jobs": '
BAD_JSON = {
    "no JSON": ('{"version": 2,\n "jobs" }', ":2: expected JSON"),
    "nested": ("[" * 700 + "]" * 700, "nested far too deep"),
    "a list": ("[]", "expected an object"),
    "other version": ('{"version": 9, "machines": [], "jobs": []}', "expected version 2, found 9"),
    "no version": ('{"machines": [], "jobs": []}', 'found None: add "version": 2'),
    "a comment": ('{"version": 2, // ours\n "machines": []}', ":1: expected JSON: Expecting property name"),
    "no jobs": ('{"version": 2, "machines": []}', "jobs = None: missing"),
    "unknown key": (HEAD + '[{"name": "a", "operations": [], "colour": 1}]}', "jobs.0.colour = 1: unknown key"),
    "operation without machine": (
        HEAD + '[{"name": "a", "operations": [{"duration": 1}]}]}',
        "jobs.0.operations.0.machine = None: missing",
    ),
    "NaN": (
        HEAD + '[{"name": "a", "operations": [{"machine": "mill", "duration": NaN}]}]}',
        "jobs.0.operations.0.duration = nan: expected an integer",
    ),
    "after is a text": (HEAD + '[{"name": "a", "operations": [], "after": "b"}]}', "jobs.0.after = 'b'"),
}


@pytest.mark.parametrize(("text", "message"), BAD_JSON.values(), ids=BAD_JSON.keys())
def test_a_malformed_json_names_the_file_and_the_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read_problem(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("read", [read_problem, read_shop])
def test_a_missing_or_binary_file_is_a_users_mistake(read: object, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x81")
    for name in ("absent", "binary"):
        with pytest.raises(InputError, match="cannot be read"):
            read(tmp_path / name)  # type: ignore[operator]


DATED = """{"version": 2, "machines": ["mill"], "jobs": [{"name": "a", "release": "2026-12-01 07:00",
"due": "2026-12-01T14:00", "operations": [{"machine": "mill", "duration": 30.0}]}],
"closed": {"mill": [{"start": "2026-12-01T12:00", "end": "2026-12-01T13:00+01:00"}]}}"""


def test_dates_in_json_are_minutes_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(DATED)
    shop = read_problem(tmp_path / "a.json", start="2026-12-01T06:00+01:00").shop
    assert (shop.jobs[0].release, shop.jobs[0].due, shop.jobs[0].operations[0].duration) == (60, 480, 30)
    assert shop.closed == {"mill": (Window(360, 420),)}
    with pytest.raises(InputError, match="release = '2026-12-01 07:00' is a date: say when minute 0 is"):
        read_problem(tmp_path / "a.json")
