import numpy as np
import pytest
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.anomaly import Novelty, NoveltySettings

SINGLE = NoveltySettings(lengths=(1,), threshold=0.8, calm=10, memory=50, settle=20)
NOISE = np.random.default_rng(0).uniform(-1, 1, 1000)


def alarms(values: NDArray[np.float64], settings: NoveltySettings = SINGLE) -> list[int]:
    said = Novelty(("x",), settings).stream().push(values[:, None])
    return np.flatnonzero(said.alarm).tolist()


def with_level(*levels: tuple[int, int, float]) -> NDArray[np.float64]:
    values = NOISE.copy()
    for first, last, level in levels:
        values[first:last] += level
    return values


def test_the_distance_is_that_of_the_sorted_values_in_standard_deviations() -> None:
    settings = NoveltySettings(lengths=(2,), threshold=0.5)
    said = Novelty(("x",), settings).stream().push(np.array([[2.0], [0.0], [4.0], [2.0]]))
    # {0, 4} to {0, 2} is (0 + 2) / 2, the deviation of 2, 0, 4 is √(8/3); {2, 4} to {0, 4} is 1, to {0, 2} 2.
    assert said.score == pytest.approx([0, 0, 1 / np.sqrt(8 / 3), 1 / np.sqrt(2)])


def test_noise_that_was_seen_before_is_silent() -> None:
    assert alarms(NOISE) == []


def test_a_level_that_stays_is_told_once() -> None:
    assert alarms(with_level((500, 1000, 10.0))) == [500]


def test_what_was_told_is_known_when_it_comes_again() -> None:
    assert alarms(with_level((500, 600, 10.0), (800, 900, 10.0))) == [500]


def test_after_a_calm_another_level_is_told() -> None:
    assert alarms(with_level((500, 520, 10.0), (800, 900, 30.0))) == [500, 800]


def test_within_an_episode_only_another_way_is_told() -> None:
    assert alarms(with_level((500, 503, 10.0), (503, 506, 20.0), (506, 509, 30.0))) == [500]
    assert alarms(with_level((500, 503, 10.0), (503, 506, -20.0), (506, 509, 30.0))) == [500, 503]


def test_what_was_forgotten_is_told_again() -> None:
    values = with_level(*((row, row + 1, row / 10) for row in range(200, 800, 100)), (900, 901, 20.0))
    few = NoveltySettings(lengths=(1,), threshold=0.8, calm=10, memory=5, settle=20)
    assert 900 in alarms(values, few)
    assert 900 not in alarms(values)


def test_a_spread_that_was_never_there_is_told_by_a_window_where_no_single_value_is_new() -> None:
    values = np.where(np.arange(1000) % 20 == 0, 1.0, 0.0) + NOISE * 1e-3
    values[700:740] = np.arange(40) % 2
    window = NoveltySettings(lengths=(20,), threshold=1.0, calm=40)
    assert len(alarms(values, window)) == 1
    assert 700 < alarms(values, window)[0] < 740
    assert alarms(values, NoveltySettings(lengths=(1,), threshold=1.0)) == []


def test_while_it_settles_it_only_learns() -> None:
    assert min(alarms(with_level((5, 10, 10.0), (15, 20, -10.0), (100, 101, 99.0)))) == 100


def test_the_column_that_was_new_is_named() -> None:
    values = np.stack([NOISE, with_level((500, 510, 10.0))], axis=1)
    said = Novelty(("a", "b"), SINGLE).stream().push(values)
    assert np.flatnonzero(said.alarm).tolist() == [500]
    assert said.column[500] == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lengths": ()}, "lengths"),
        ({"lengths": (24, 1)}, "expected different lengths, the shortest first"),
        ({"lengths": (0, 5)}, "lengths"),
        ({"threshold": 0.0}, "expected a number > 0"),
        ({"memory": 0}, "memory"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        NoveltySettings(**given)  # type: ignore[arg-type]
