import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.scheduling.shops import FT06, shops
from twinloop.errors import InputError
from twinloop.scheduling.formats import read_jsp, read_shop, write_shop
from twinloop.scheduling.problem import JobShop, Operation


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(shop=shops())
def test_json_reads_back_equal(shop: JobShop, tmp_path: Path) -> None:
    write_shop(tmp_path / "shop.json", shop)
    assert read_shop(tmp_path / "shop.json") == shop


def test_the_standard_text_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ft06.txt"
    path.write_text("# Fisher and Thompson\n\n" + FT06)
    shop = read_jsp(path)
    assert len(shop.jobs) == len(shop.machines) == 6
    assert shop.jobs[0].name == "0"
    assert shop.jobs[0].operations[:2] == (Operation("machine_2", 1), Operation("machine_0", 3))
    assert sum(job.work for job in shop.jobs) == 197


def test_shared_instances_are_read_with_their_sizes(shared_data: Path) -> None:
    known = shared_data / "scheduling/bounds/jsp_ft.json"
    if not known.is_file():
        pytest.skip(f"no instances at {known.parent}")
    for entry in json.loads(known.read_text()):
        shop = read_jsp(shared_data / "scheduling" / entry["path"])
        assert (len(shop.jobs), len(shop.machines)) == (entry["jobs"], entry["machines"])


BAD_TEXT = {
    "empty": ("", ":1: expected a first line 'jobs machines'"),
    "no sizes": ("2\n0 1\n0 1\n", ":1: expected two numbers ≥ 1"),
    "words": ("1 2\n0 one 1 3\n", ":2: expected whole numbers, got '0 one 1 3'"),
    "NaN": ("1 2\n0 nan\n", ":2: expected whole numbers"),
    "odd numbers": ("1 2\n0 3 1\n", ":2: expected pairs 'machine duration', got 3 numbers"),
    "unknown machine": ("1 2\n0 3 2 4\n", ":2: job 0 operation 1: expected a machine from 0 to 1, got 2"),
    "negative duration": (
        "# a comment\n2 2\n0 3 1 4\n1 3 0 -4\n",
        ":4: job 1 operation 1: expected a duration ≥ 1, got -4",
    ),
    "missing job": ("3 2\n0 3\n1 3\n", ":3: expected 3 job lines after the first, found 2"),
    "overflow": ("1 1\n0 9223372036854775808\n", "job 0 operation 0: duration = 9223372036854775808"),
}


@pytest.mark.parametrize(("text", "message"), BAD_TEXT.values(), ids=BAD_TEXT.keys())
def test_a_malformed_text_names_file_and_row(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read_jsp(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


HEAD = '{"version": 1, "machines": ["mill"], "jobs": '
BAD_JSON = {
    "no JSON": ('{"version": 1,\n "jobs" }', ":2: expected JSON"),
    "a list": ("[]", "expected an object"),
    "other version": ('{"version": 9, "machines": [], "jobs": []}', "expected version 1, found 9"),
    "no jobs": ('{"version": 1, "machines": []}', "jobs missing"),
    "unknown key": (HEAD + '[{"name": "a", "operations": [], "colour": 1}]}', "job 0: unknown colour"),
    "operation without machine": (
        HEAD + '[{"name": "a", "operations": [{"duration": 1}]}]}',
        "job 0 operation 0: machine missing",
    ),
    "NaN": (
        HEAD + '[{"name": "a", "operations": [{"machine": "mill", "duration": NaN}]}]}',
        "job a operation 0: duration = nan",
    ),
    "after is a text": (HEAD + '[{"name": "a", "operations": [], "after": "b"}]}', "job 0: after: expected a list"),
}


@pytest.mark.parametrize(("text", "message"), BAD_JSON.values(), ids=BAD_JSON.keys())
def test_a_malformed_json_names_the_file_and_the_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read_shop(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("read", [read_jsp, read_shop])
def test_a_missing_or_binary_file_is_a_users_mistake(read: object, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x81")
    for name in ("absent", "binary"):
        with pytest.raises(InputError, match="cannot be read"):
            read(tmp_path / name)  # type: ignore[operator]
