import json
from pathlib import Path

import pytest

from tests.scheduling.shops import FT06, FT10, rich_shop
from twinloop.errors import InputError
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.files.text import write_fjsp, write_jsp
from twinloop.scheduling.problem import Alternative, Operation


def test_the_standard_text_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ft06.txt"
    path.write_text("# Fisher and Thompson\n\n" + FT06)
    shop = read_problem(path).shop
    assert len(shop.jobs) == len(shop.machines) == 6
    assert shop.jobs[0].name == "0"
    assert shop.jobs[0].operations[:2] == (Operation("machine_2", 1), Operation("machine_0", 3))
    assert sum(job.work for job in shop.jobs) == 197


def test_shared_instances_are_read_with_their_sizes(shared_data: Path) -> None:
    known = shared_data / "scheduling/bounds/jsp_ft.json"
    if not known.is_file():
        pytest.skip(f"no instances at {known.parent}")
    for entry in json.loads(known.read_text()):
        shop = read_problem(shared_data / "scheduling" / entry["path"]).shop
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
        ":4: job 1 operation 1: expected a duration ≥ 0, got -4",
    ),
    "missing job": ("3 2\n0 3\n1 3\n", ":3: expected 3 job lines after the first, found 2"),
    "overflow": ("1 1\n0 9223372036854775808\n", "job 0 operation 0: duration = 9223372036854775808"),
}


@pytest.mark.parametrize(("text", "message"), BAD_TEXT.values(), ids=BAD_TEXT.keys())
def test_a_malformed_text_names_file_and_row(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read_problem(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


BAD_FLEXIBLE = {
    "no alternatives": ("1 2\n1 0\n", ":2: job 0 operation 0: expected at least one alternative, got 0"),
    "short": ("1 2\n2 1 0 3 2 0 4\n", ":2: job 0 operation 1: expected a machine of its alternatives, the line ends"),
    "long": ("1 2\n1 1 0 3 7\n", ":2: job 0: 1 numbers are left after its 1 operations"),
    "machine": ("1 2\n1 1 5 3\n", ":2: job 0 operation 0: expected a machine from 0 to 1, got 5"),
    "twice": ("1 2\n1 2 0 3 0 4\n", "job 0 operation 0: machine 'machine_0' is named twice"),
}


@pytest.mark.parametrize(("text", "message"), BAD_FLEXIBLE.values(), ids=BAD_FLEXIBLE.keys())
def test_a_malformed_flexible_text_names_file_and_row(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.fjs"
    path.write_text(text)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read_problem(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_both_formats_are_written_as_they_are_read_and_told_apart(tmp_path: Path) -> None:
    (tmp_path / "ft10").write_text(FT10)
    (tmp_path / "flexible").write_text("2 3 1.5\n2 1 0 3 2 1 4 2 5\n1 2 0 2 2 9\n")
    plain, flexible = read_problem(tmp_path / "ft10").shop, read_problem(tmp_path / "flexible").shop
    assert plain.jobs[0].operations[1] == Operation("machine_1", 78)
    assert flexible.jobs[0].operations[1] == Operation("machine_1", 4, (Alternative("machine_2", 5),))
    write_jsp(tmp_path / "again", plain)
    write_fjsp(tmp_path / "again_flexible", flexible)
    assert read_problem(tmp_path / "again").shop == plain
    assert read_problem(tmp_path / "again_flexible").shop == flexible


@pytest.mark.parametrize("write", [write_jsp, write_fjsp])
def test_what_a_text_format_cannot_say_is_refused(write: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="write JSON"):
        write(tmp_path / "rich", rich_shop())  # type: ignore[operator]
    assert not (tmp_path / "rich").exists()
