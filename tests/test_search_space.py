import optuna
import pytest

from twinloop.search_space import Dimension, distribution


@pytest.mark.parametrize(
    ("dimension", "inside", "outside"),
    [
        (Dimension(kind="int", low=1.0, high=4.0), 4, 5),
        (Dimension(kind="float", low=0.1, high=10.0, log=True), 0.1, 0.09),
        (Dimension(kind="categorical", choices=("a", "b")), "b", "c"),
    ],
)
def test_what_optuna_draws_lies_in_the_dimension(dimension, inside, outside):
    assert dimension.holds(inside)
    assert not dimension.holds(outside)
    trials = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    drawn = [trials.ask({"x": distribution(dimension)}).params["x"] for _ in range(50)]
    assert all(dimension.holds(value) for value in drawn)


def test_a_whole_number_is_no_truth_value():
    assert not Dimension(kind="int", low=0.0, high=1.0).holds(True)
