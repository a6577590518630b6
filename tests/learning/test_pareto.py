import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.learning.pareto import knee


def front(scores: list[float], costs: list[float]) -> list[tuple[float, float]]:
    return [(score, -cost) for score, cost in zip(scores, costs, strict=True)]


POINTS = st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 100)), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("scores", "costs", "place"),
    [
        ([0.9], [3.0], 0),
        ([0.8, 0.9], [1.0, 2.0], 1),
        ([0.70, 0.94, 0.95], [1.0, 2.0, 9.0], 1),
        ([0.95, 0.94, 0.70], [9.0, 2.0, 1.0], 1),
        # It sags: every step costs more than it brings.
        ([0.70, 0.72, 0.95], [1.0, 8.0, 9.0], 2),
        ([0.5, 0.75, 1.0], [1.0, 2.0, 3.0], 2),
    ],
)
def test_the_knee_of_a_front_that_can_be_seen(scores: list[float], costs: list[float], place: int) -> None:
    assert knee(front(scores, costs)) == place


@given(POINTS, st.floats(0.5, 20), st.floats(0.01, 50))
def test_the_knee_does_not_depend_on_the_units(points: list[tuple[float, float]], stretch: float, shift: float) -> None:
    scores, costs = ([point[axis] for point in points] for axis in (0, 1))
    scores, costs = sorted(round(score, 3) for score in scores), sorted(round(cost, 3) for cost in costs)
    place = knee(front(scores, costs))
    gain = _above_the_line(scores, costs, place)
    assert all(gain >= _above_the_line(scores, costs, other) - 1e-9 for other in range(len(scores)))
    same = knee(front(scores, [stretch * cost + shift for cost in costs]))
    assert _above_the_line(scores, costs, same) == pytest.approx(gain, abs=1e-9)


def _above_the_line(scores: list[float], costs: list[float], place: int) -> float:
    """Distance along the score's axis to the line between the ends, by its equation, in shares of the score's range."""
    if costs[-1] == costs[0] or scores[-1] == scores[0]:
        return (scores[place] - scores[0]) / (scores[-1] - scores[0] or 1) - (
            (costs[place] - costs[0]) / (costs[-1] - costs[0] or 1)
        )
    line = scores[0] + (scores[-1] - scores[0]) * (costs[place] - costs[0]) / (costs[-1] - costs[0])
    return (scores[place] - line) / (scores[-1] - scores[0])


def test_three_objectives_have_a_knee_too() -> None:
    ends = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    assert knee([*ends, (0.6, 0.6, 0.6), (0.5, 0.5, 0.5)]) == 3
