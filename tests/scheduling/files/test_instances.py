"""A file of numbers is known by all that is in it; what fits two formats, or is a broken one, is refused."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.scheduling import classical_shop, flexible_shop
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.problem import Alternative, Operation

PLAIN = "2 3\n0 4 1 5 2 6\n2 3 0 2 1 1\n"
READ = {
    "plain": (PLAIN, "job shop (OR-Library)", "0"),
    "prose in front": ("instance mine\n+++++\n two jobs, three machines\n" + PLAIN, "job shop (OR-Library)", "0"),
    "comments in lines": (PLAIN.replace("\n", " # a note\n"), "job shop (OR-Library)", "0"),
    "a mark and CRLF": ("\ufeff" + PLAIN.replace("\n", " \r\n") + "\r\n", "job shop (OR-Library)", "0"),
    "wrapped lines": ("2 3\n0 4 1 5\n2 6\n2 3\n0 2 1 1\n", "job shop (OR-Library)", "0"),
    "from 1": ("2 3\n1 4 2 5 3 6\n3 3 1 2 2 1\n", "job shop (OR-Library)", "1"),
    "Taillard": ("2 3\n4 5 6\n3 2 1\n1 2 3\n3 1 2\n", "job shop (Taillard)", "1"),
    "Taillard, titled": (
        "Nb of jobs, Nb of Machines, Time seed, Machine seed, Upper bound, Lower bound\n2 3 7 8 20 9\n"
        "Times\n4 5 6\n3 2 1\nMachines\n1 2 3\n3 1 2\n",
        "job shop (Taillard)",
        "1",
    ),
    "flexible": ("2 3 1.5\n2 1 0 3 2 1 4 2 5\n1 2 0 2 2 9\n", "flexible job shop (Brandimarte)", "0"),
    "flexible from 1": ("2 3 1.5\n2 1 1 3 2 2 4 3 5\n1 2 1 2 3 9\n", "flexible job shop (Brandimarte)", "1"),
    "flexible, wrapped": ("2 3\n2 1 0 3 2\n1 4 2 5\n1 2 0 2 2 9\n", "flexible job shop (Brandimarte)", "0"),
    "whole decimals": ("2 3 1.5\n2 1 0 3.0 2 1 4 2 5.00\n1 2 0 2 2 9\n", "flexible job shop (Brandimarte)", "0"),
}


@pytest.mark.parametrize(("text", "form", "first"), READ.values(), ids=READ.keys())
def test_the_format_and_the_first_machine_are_said(text: str, form: str, first: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode())
    reading = read_problem(tmp_path / "a.txt")
    assert str(reading).startswith(f"{form}, 2 jobs × 3 machines, ")
    assert reading.notes == (f"machines counted from {first}",)
    assert reading.shop.machines[0] == f"machine_{first}"
    durations = [[o.duration for o in job.operations] for job in reading.shop.jobs]
    assert durations in ([[4, 5, 6], [3, 2, 1]], [[3, 4], [2]])


def test_an_operation_of_no_time_is_a_milestone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PLAIN.replace("2 6", "2 0"))
    shop = read_problem(tmp_path / "a.txt").shop
    assert [operation.milestone for operation in shop.jobs[0].operations] == [False, False, True]


def test_a_flow_shop_has_a_row_for_each_machine(tmp_path: Path) -> None:
    text = "number of jobs, number of machines, initial seed, upper bound and lower bound :\n 3 2 87 10 9\n"
    (tmp_path / "a.txt").write_text(f"{text}processing times :\n 3 2 4\n 2 5 1\n")
    shop = read_problem(tmp_path / "a.txt").shop
    assert shop.jobs[1].operations == (Operation("machine_1", 2), Operation("machine_2", 5))


def test_a_matrix_alone_is_read_as_what_it_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("3 2\n5 7 3\n6 4 8\n")
    with pytest.raises(InputError, match="may be a flow shop or unrelated machines: say which, as kind"):
        read_problem(tmp_path / "a.txt")
    flow = read_problem(tmp_path / "a.txt", kind="flow shop").shop
    unrelated = read_problem(tmp_path / "a.txt", kind="unrelated machines").shop
    assert flow.jobs[2].operations == (Operation("machine_1", 3), Operation("machine_2", 8))
    assert unrelated.jobs[2].operations == (Operation("machine_1", 3, (Alternative("machine_2", 8),)),)


REFUSED = {
    "neither 0 nor the last machine": (
        "2 3 1.5\n2 1 1 3 2 1 2 2 4\n1 2 1 3 2 5\n",
        "are machines counted from 0 or from 1? neither 0 nor 3 is used",
    ),
    "plain and flexible": ("2 2\n1 1 0 5\n1 1 1 4\n", "may be a job shop or a flexible job shop"),
    "a flexible row too short": ("3 9 1.0\n1 1 0 5\n1 1 8\n1 1 2 4\n", ":3: job 1 operation 0: expected a duration"),
    # Every row has pairs of a machine and a duration; the second is no job of a flexible shop.
    "a flexible shop with an odd row": (
        "3 9\n1 2 0 5 1 6\n1 2 0 5 2 6 7 7\n1 2 3 5 4 6\n",
        "this row is no job of a flexible shop, others are",
    ),
    "a flexible shop without a duration": ("2 4\n1 2 3 5 1 0\n1 2 3 3 0 2\n", "may be a job shop or a flexible"),
    "0 and the number of machines": ("2 3\n0 4 1 5 3 6\n3 3 0 2 1 1\n", "expected a machine from 0 to 2, got 3"),
    "a fraction": ("1 2\n0 2.5 1 3\n", ":2: expected whole numbers, got '0 2.5 1 3': multiply all durations"),
    "too many jobs": ("2 2\n0 3 1 2\n1 2 0 2\n0 1 1 1\n", ":4: expected 2 job lines after the first, found 3"),
    "a broken row": ("2 2\n0 3 1 x2\n1 2 0 2\n", ":2: expected whole numbers, got '0 3 1 x2'"),
    "a broken first row": ("2x 2\n0 3 1 2\n1 2 0 2\n", ":1: expected whole numbers, got '2x 2'"),
    "prose alone": ("three jobs on three machines\n", "expected a first line 'jobs machines', got only prose"),
    "two instances": (f"instance a\n{PLAIN}instance b\n{PLAIN}", "holds 2 instances: keep one"),
    "square": ("2 2\n5 7\n6 4\n", "as many jobs as machines: a row may be either"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_sure_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read_problem(tmp_path / "a.txt")
    assert message in str(caught.value)


def test_the_user_may_say_kind_and_first_machine(tmp_path: Path) -> None:
    (tmp_path / "a.fjs").write_text(REFUSED["neither 0 nor the last machine"][0])
    counted = [read_problem(tmp_path / "a.fjs", first_machine=base).shop for base in (0, 1)]
    assert [shop.machines[0] for shop in counted] == ["machine_0", "machine_1"]
    (tmp_path / "b.txt").write_text(REFUSED["plain and flexible"][0])
    kinds = [
        read_problem(tmp_path / "b.txt", kind=kind, first_machine=0).shop for kind in ("job shop", "flexible job shop")
    ]
    assert [len(shop.jobs[0].operations) for shop in kinds] == [2, 1]
    for wrong in ({"kind": "job shpo"}, {"first_machine": 2}, {"zone": "Europe/Berlin"}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            read_problem(tmp_path / "b.txt", **wrong)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_a_flexible_file_with_a_changed_number_is_never_read_as_a_plain_one(
    data: st.DataObject, tmp_path: Path
) -> None:
    shop = flexible_shop(
        data.draw(st.integers(3, 5)), 4, data.draw(st.integers(2, 4)), seed=data.draw(st.integers(0, 9))
    )
    shop.write(tmp_path / "a.txt")
    first, *rows = (tmp_path / "a.txt").read_text().splitlines()
    row = data.draw(st.integers(0, len(rows) - 1))
    words = rows[row].split()
    place = data.draw(st.integers(0, len(words) - 1))
    change = data.draw(st.sampled_from(["drop", "add", "0", "1", "2"]))
    words[place : place + 1] = [] if change == "drop" else [words[place], "1"] if change == "add" else [change]
    rows[row] = " ".join(words)
    (tmp_path / "a.txt").write_text("\n".join([first, *rows]) + "\n")
    try:
        reading = read_problem(tmp_path / "a.txt")
    except InputError:
        return
    assert reading.form.startswith("flexible")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(jobs=st.integers(1, 6), machines=st.integers(1, 5), seed=st.integers(1, 99), base=st.integers(0, 1))
def test_a_classical_shop_reads_back_counted_from_0_or_1_wrapped_or_not(
    jobs: int, machines: int, seed: int, base: int, tmp_path: Path
) -> None:
    shop = classical_shop(jobs, machines, time_seed=seed, machine_seed=seed + 1)
    number = {name: k + base for k, name in enumerate(shop.machines)}
    rows = [" ".join(f"{number[o.machine]} {o.duration}" for o in job.operations) for job in shop.jobs]
    (tmp_path / "a.txt").write_text(f"{jobs} {machines}\n" + "\n".join(rows) + "\n")
    reading = read_problem(tmp_path / "a.txt", kind="job shop", first_machine=base)
    read = reading.shop
    # Few jobs on few machines can be more than one thing, and then somebody is asked; else it is found out.
    with contextlib.suppress(InputError):
        assert read_problem(tmp_path / "a.txt").shop == read
    assert [[(int(o.machine[8:]), o.duration) for o in job.operations] for job in read.jobs] == [
        [(number[o.machine], o.duration) for o in job.operations] for job in shop.jobs
    ]
