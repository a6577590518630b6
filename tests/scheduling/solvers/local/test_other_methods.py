"""One-machine sequencing and the shifting bottleneck against exact values."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import FT06, FT10, plain_shops
from twinloop.errors import InputError
from twinloop.scheduling.checker import check
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.local.one_machine import carlier, preemptive_bound
from twinloop.scheduling.solvers.local.shifting_bottleneck import solve_shifting_bottleneck

MAKESPAN = Goal.of("makespan")
# Carlier 1982, the example of seven jobs: heads, durations, tails; optimum 50.
CARLIER = ((10, 5, 7), (13, 6, 26), (11, 7, 24), (20, 4, 21), (30, 3, 8), (0, 6, 17), (30, 2, 0))


def columns(rows):
    return (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))


def makespan(rows, order):
    end, worst = 0, 0
    for v in order:
        head, duration, tail = rows[v]
        end = max(end, head) + duration
        worst = max(worst, end + tail)
    return worst


def test_carliers_own_example_has_its_published_optimum():
    sequence, value, proved = carlier(*columns(CARLIER), 1000)
    assert (value, proved) == (50, True)
    assert makespan(CARLIER, sequence) == 50


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(0, 20)), min_size=1, max_size=6))
def test_one_machine_is_sequenced_as_well_as_all_permutations_allow(rows):
    best = min(makespan(rows, order) for order in itertools.permutations(range(len(rows))))
    sequence, value, proved = carlier(*columns(rows), 1000)
    assert proved
    assert value == makespan(rows, sequence) == best
    assert preemptive_bound(*columns(rows)) <= best


ASKED = Question(MAKESPAN, Limit(iterations=1))


def instance(text: str, folder: Path) -> JobShop:
    (folder / "instance.txt").write_text(text)
    return JobShop.read(folder / "instance.txt")


@pytest.mark.parametrize(("text", "optimum"), [(FT06, 55), (FT10, 930)], ids=["ft06", "ft10"])
def test_the_shifting_bottleneck_is_within_nine_percent_of_fisher_and_thompson(text, optimum, tmp_path):
    shop = instance(text, tmp_path)
    found = solve_shifting_bottleneck(shop, ASKED)
    check(shop, found.plan)
    assert optimum <= found.objective == found.plan.makespan <= 1.09 * optimum


@settings(max_examples=40, deadline=None)
@given(shop=plain_shops())
def test_the_shifting_bottleneck_gives_valid_plans_and_the_same_again(shop):
    found = solve_shifting_bottleneck(shop, ASKED)
    check(shop, found.plan)
    assert found == solve_shifting_bottleneck(shop, ASKED)
    assert found.bound <= found.objective


def test_what_these_methods_cannot_do_is_refused():
    flexible = JobShop(("m", "n"), (Job("a", (Operation("m", 1, (Alternative("n", 2),)),)),))
    with pytest.raises(InputError, match="one machine for every operation"):
        solve_shifting_bottleneck(flexible, ASKED)
    with pytest.raises(InputError, match="the makespan alone"):
        solve_shifting_bottleneck(flexible, Question(Goal.of("setup"), ASKED.limit))
