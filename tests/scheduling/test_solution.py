import pytest

from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.errors import InputError
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.question import Limit
from twinloop.scheduling.solution import Incumbent, Solution, Trace, relative_gap


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "expected seconds, deterministic seconds or iterations, got none"),
        ({"seconds": 0}, "seconds = 0: expected a number above 0"),
        ({"deterministic": -1.5}, "deterministic = -1.5"),
        ({"iterations": 0, "seconds": 2}, "iterations = 0"),
        ({"seconds": float("nan")}, "seconds = nan"),
    ],
)
def test_a_limit_that_limits_nothing_is_refused(given: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Limit(**given)  # type: ignore[arg-type]


def test_a_limit_says_what_it_is() -> None:
    assert str(Limit(seconds=2.5, iterations=100)) == "2.5 seconds or 100 iterations"


def test_a_solution_has_a_value_for_each_level_and_is_optimal_only_if_shown() -> None:
    one, two = Goal.of("makespan"), Goal.of("makespan", "energy")
    found = Solution.of("by hand", rich_shop(), goal=two, plan=rich_plan(), bound=24)
    assert (found.values, found.objective, found.bound, found.gap, found.status) == ((24, 15500), 24, 24, 0, "feasible")
    assert Solution.of("by hand", rich_shop(), goal=two, plan=rich_plan(), bound=24, proved=True).status == "optimal"
    assert Solution.of("by hand", rich_shop(), goal=one, plan=rich_plan(), bound=24).status == "optimal"
    assert Solution.of("by hand", rich_shop(), goal=one, plan=rich_plan(), bound=18).gap == 0.25


def test_a_trace_keeps_and_tells_only_what_is_better() -> None:
    heard: list[Incumbent] = []
    trace = Trace(heard.append)
    for objective in (9, 9, 12, 7):
        trace.add(objective, 3)
    assert [(i.objective, i.bound) for i in trace.incumbents] == [(9, 3), (7, 3)]
    assert heard == trace.incumbents
    assert trace.incumbents[0].wall_s <= trace.incumbents[1].wall_s


def test_the_gap_is_zero_where_nothing_can_be_gained() -> None:
    assert relative_gap(0, 0) == 0
    assert relative_gap(10, 8) == 0.2
