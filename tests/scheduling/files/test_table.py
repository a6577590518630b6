from pathlib import Path

import pytest

from tests.scheduling.shops import rich_shop
from twinloop.errors import InputError
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.files.table import write_table
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation

SHOP = JobShop(
    ("saw", "mill", "lathe"),
    (
        Job("a", (Operation("saw", 3), Operation("mill", 4, (Alternative("lathe", 6),), family="steel")), due=20),
        Job("b", (Operation("lathe", 2, family="brass"),), release=5, weight=3),
    ),
)


def test_a_table_reads_back_equal(tmp_path: Path) -> None:
    write_table(tmp_path / "orders.csv", SHOP)
    assert read_problem(tmp_path / "orders.csv").shop == SHOP


def test_optional_columns_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("job,operation,machine,duration\na,0,saw,3\na,1,mill,4\n")
    assert read_problem(tmp_path / "orders.csv").shop.jobs == (Job("a", (Operation("saw", 3), Operation("mill", 4))),)


HEAD = "job,operation,machine,duration,due\n"
BAD_TABLES = {
    "no duration": (
        "job,operation,machine\na,0,saw\n",
        ":2: duration is empty: expected a duration, a piece_time, or both",
    ),
    "misspelt column": (
        "job,operation,machine,duration,relase\na,0,saw,1,5\n",
        ":1: unknown column 'relase': did you mean 'release'?",
    ),
    "a word": (HEAD + "a,0,saw,long,9\n", ":2: duration = 'long': expected a whole number"),
    "empty cell": (HEAD + "a,0,saw,3,9\na,1,,3,9\n", ":3: machine is empty"),
    "a gap": (HEAD + "a,0,saw,3,9\na,2,mill,3,9\n", ":2: job a: expected operations 0 to 1, got [0, 2]"),
    "two due dates": (HEAD + "a,0,saw,3,9\na,1,mill,3,8\n", ":3: job a: due is 9 and 8: give it once"),
    "negative": (HEAD + "a,0,saw,-3,9\n", ":2: duration = '-3': expected a length of time, 0 or longer"),
    "no rows": (HEAD, "expected at least one machine"),
}


@pytest.mark.parametrize(("text", "message"), BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_a_malformed_table_names_file_and_row(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read_problem(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_table_and_a_shop_no_table_can_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_problem(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="write JSON"):
        write_table(tmp_path / "rich.csv", rich_shop())
