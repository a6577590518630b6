"""What holds for every detector that follows a signal: nothing of the future, the same in any chunks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.anomaly import (
    Detector,
    Novelty,
    NoveltySettings,
    RollingSettings,
    RollingThreshold,
)
from twinloop.prognostics.anomaly.detector import Said

Floats = NDArray[np.float64]
COLUMNS = ("oil", "speed")
DETECTORS: dict[str, Detector] = {
    "rolling": RollingThreshold(COLUMNS, RollingSettings(rows=9, threshold=2.0, settle=4)),
    "novelty": Novelty(COLUMNS, NoveltySettings(lengths=(1, 4), threshold=0.3, calm=6, memory=5, settle=4)),
}


def signal(seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(120, 2)) + 3 * (np.arange(120) // 40 % 2)[:, None]
    values[rng.random(values.shape) < 0.1] = np.nan
    return values


def same(one: Said, other: Said) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", DETECTORS)
@given(cuts=st.lists(st.integers(0, 120), max_size=10))
@settings(max_examples=25)
def test_a_stream_in_any_chunks_says_the_same(name: str, cuts: list[int]) -> None:
    whole, stream = DETECTORS[name].stream().push(signal()), DETECTORS[name].stream()
    parts = [stream.push(signal()[a:b]) for a, b in pairwise([0, *sorted(cuts), 120])]
    assert whole.alarm.any()
    assert same(whole, Said(*(np.concatenate(part) for part in zip(*parts, strict=True))))


@pytest.mark.parametrize("name", DETECTORS)
@given(row=st.integers(1, 119), seed=st.integers(1, 1000))
@settings(max_examples=25)
def test_another_future_moves_nothing(name: str, row: int, seed: int) -> None:
    changed = np.concatenate([signal()[:row], signal(seed)[row:]])
    before = [Said(*(part[:row] for part in DETECTORS[name].stream().push(values))) for values in (signal(), changed)]
    assert same(*before)


@pytest.mark.parametrize("name", DETECTORS)
def test_rows_without_any_value_are_silent(name: str) -> None:
    said = DETECTORS[name].stream().push(np.full((50, 2), np.nan))
    assert not said.score.any()
    assert not said.alarm.any()
    assert (said.column == -1).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_what_is_not_finite_is_missing(name: str) -> None:
    holes, endless = signal(), signal()
    holes[60], endless[60] = np.nan, np.inf
    assert same(*(DETECTORS[name].stream().push(values) for values in (holes, endless)))


@pytest.mark.parametrize("name", DETECTORS)
def test_rows_of_another_width_are_refused(name: str) -> None:
    for values in (np.zeros((3, 1)), np.zeros((3, 3)), np.zeros(3)):
        with pytest.raises(InputError, match="expected rows of 2 values"):
            DETECTORS[name].stream().push(values)


@pytest.mark.parametrize("fault", ["sticks", "changes its unit", "vanishes"])
def test_a_signal_that_goes_wrong_is_told_once_and_one_that_vanishes_not(fault: str) -> None:
    rows = np.arange(600)[:, None]
    values = 80 + 5 * np.sin(rows / 2) + 0.5 * np.random.default_rng(1).normal(size=rows.shape)
    values[400:] = {"sticks": 80.0, "changes its unit": 1.8 * values[400:] + 32, "vanishes": np.nan}[fault]
    said = Novelty(("oil",), NoveltySettings()).stream().push(values)
    told = np.flatnonzero(said.alarm[400:])
    assert len(told) == (fault != "vanishes")
    assert not said.alarm[:400].any()


@pytest.mark.parametrize("name", DETECTORS)
def test_a_signal_that_never_moves_is_not_unusual(name: str) -> None:
    said = DETECTORS[name].stream().push(np.full((50, 2), 7.3))
    assert not said.alarm.any()
    assert not said.score.any()
