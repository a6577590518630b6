from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import RunError
from twinloop.learning.parity import (
    batch_differences,
    choose_format,
    lost,
    max_difference,
    require_deployable,
    require_equal,
)
from twinloop.learning.settings import ExportSettings
from twinloop.learning.signature import Arrays, Outputs
from twinloop.numbers import coarse


def test_the_largest_difference_of_any_output_counts() -> None:
    one = [np.zeros((2, 3), np.float32), np.zeros((2, 1), np.float32)]
    other = [np.zeros((2, 3), np.float32), np.array([[0.0], [0.5]], np.float32)]
    assert max_difference(one, other) == 0.5


def test_a_difference_is_relative_where_the_reference_is_beyond_one() -> None:
    one, other = [np.array([0.5, -200.0], np.float32)], [np.array([0.5625, -201.0], np.float32)]
    assert max_difference(one, other) == 0.0625
    assert max_difference(one, [np.array([0.5, -225.0], np.float32)]) == 0.125


def test_every_batch_size_is_compared_on_two_full_batches_and_a_rest() -> None:
    called: list[int] = []

    def graph(inputs: Arrays) -> Outputs:
        called.append(len(inputs["x"]))
        return [inputs["x"] + (len(inputs["x"]) == 7)]  # wrong at one batch size only

    values = np.zeros((64, 1), np.float32)
    assert batch_differences(graph, {"x": values}, [values], sizes=(1, 2, 7)) == {1: 0, 2: 0, 7: 1}
    assert called == [1, 1, 1, 2, 2, 1, 7, 7, 1]


@pytest.mark.parametrize(
    "other",
    [
        [np.zeros((2, 4), np.float32)],
        [],
        [np.full((2, 3), np.nan, np.float32)],
        [np.full((2, 3), np.inf, np.float32)],
    ],
)
def test_outputs_that_cannot_be_compared_differ_infinitely(other: list[np.ndarray]) -> None:
    assert max_difference([np.zeros((2, 3), np.float32)], other) == float("inf")


@pytest.mark.parametrize("difference", [1.1e-3, float("inf"), float("nan")])
def test_the_gate_closes_beyond_the_tolerance(difference: float) -> None:
    with pytest.raises(RunError, match="export: FP32: raw outputs differ from torch"):
        require_equal(difference, tolerance=1e-3, name="FP32")


def test_the_gate_stays_open_within_the_tolerance() -> None:
    require_equal(1e-3, tolerance=1e-3, name="FP32")


LIMIT = ["AUROC falls by 0.0500 (allowed 0.01)"]
SPEEDS = {"fp32": 1.0, "fp16": 1.4, "int8": 2.0}


@pytest.mark.parametrize(
    ("wanted", "breaches", "speeds", "deployed"),
    [
        ("fp32", {"fp16": [], "int8": []}, SPEEDS, "fp32"),
        ("fp16", {"fp16": [], "int8": LIMIT}, {**SPEEDS, "fp16": 0.5}, "fp16"),
        ("int8", {"fp16": LIMIT, "int8": []}, SPEEDS, "int8"),
        ("auto", {"fp16": [], "int8": []}, SPEEDS, "int8"),
        ("auto", {"fp16": [], "int8": LIMIT}, SPEEDS, "fp16"),
        ("auto", {"fp16": LIMIT, "int8": LIMIT}, SPEEDS, "fp32"),
        ("auto", {"fp16": [], "int8": []}, {"fp32": 1.0, "fp16": 1.0, "int8": 1.09}, "fp32"),
        ("auto", {"fp16": [], "int8": []}, {"fp32": 1.0, "fp16": 1.0, "int8": 1.1}, "int8"),
        ("auto", {"int8": []}, {"fp32": 1.0, "int8": 0.7}, "fp32"),
    ],
)
def test_only_auto_looks_at_the_clock_and_takes_the_fastest_that_gains_enough_within_its_limits(
    wanted: Any, breaches: dict[str, list[str]], speeds: dict[str, float], deployed: str
) -> None:
    assert choose_format(breaches, speeds, ExportSettings(format=wanted)) == deployed


@given(
    st.dictionaries(st.sampled_from(["fp16", "int8"]), st.booleans()),
    st.tuples(*[st.floats(0.1, 10)] * 2),
    st.floats(1, 5),
)
def test_what_auto_deploys_breaks_nothing_and_is_never_slower(
    broken: dict[str, bool], speeds: tuple[float, float], least: float
) -> None:
    gains = {"fp32": 1.0} | dict(zip(("fp16", "int8"), speeds, strict=True))
    breaches = {name: LIMIT if is_broken else [] for name, is_broken in broken.items()}
    chosen = choose_format(breaches, gains, ExportSettings(format="auto", least_speedup=least))
    able = {name for name, found in breaches.items() if not found and gains[name] >= least}
    assert chosen in (able or {"fp32"})
    assert all(gains[chosen] >= gains[name] for name in able)


@pytest.mark.parametrize("name", ["fp16", "int8"])
def test_a_format_that_was_asked_for_and_breaks_a_limit_stops_the_run(name: str) -> None:
    with pytest.raises(RunError, match=rf"export: {name.upper()}: AUROC falls .* set ExportSettings.format=fp32"):
        require_deployable({name: LIMIT}, name)
    require_deployable({name: LIMIT}, "auto")
    require_deployable({name: []}, name)


@given(loss=st.floats(-1, 1), limit=st.floats(0, 1))
def test_a_figure_may_lose_no_more_than_its_limit(loss: float, limit: float) -> None:
    broken = lost({"ndcg": 1.0, "hit": 0.5}, {"ndcg": 1.0 - loss, "hit": 0.5}, most={"ndcg": limit, "hit": limit})
    assert len(broken) == (coarse(1.0 - (1.0 - loss)) > coarse(limit))


def test_a_lost_figure_is_told_with_its_limit() -> None:
    assert lost({"hit": 0.5}, {"hit": 0.4}, most={"hit": 0.01}) == ("hit 0.500 → 0.400, at most 0.01 less",)
    assert lost({"hit": 0.5}, {"hit": 0.9}, most={"hit": 0.0}) == ()
