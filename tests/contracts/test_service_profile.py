import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from twinloop.contracts import Origin, Plan, ServiceProfile
from twinloop.errors import InputError

HERE = Origin("one", 2, {"hear": "a" * 64, "speak": "b" * 64}, index="c" * 64)
TURNS = pl.DataFrame(
    {
        "words": [5, 20, 9],
        "audio_s": [1.5, 6.0, 2.5],
        "cached": [False, False, True],
        "hear_cpu_s": [0.3, 1.2, 0.5],
        "hear_waiting_s": [0.0, 0.0, 0.0],
        "speak_cpu_s": [0.1, 0.4, 0.0],
        "speak_waiting_s": [0.05, 0.2, 0.01],
    }
)


def profile(**changes: Any) -> ServiceProfile:
    fields: dict[str, Any] = {
        "turns": TURNS,
        "components": ("hear", "speak"),
        "origin": HERE,
        "memory_gib": 0.7,
        "batches": {"hear": {1: 0.3, 4: 0.6}},
        "draws": 50,
    }
    return ServiceProfile(**{**fields, **changes})


def test_a_turn_keeps_the_seconds_of_its_components_together() -> None:
    measured = profile()
    assert len(measured) == 3
    assert measured.cpu_s().tolist() == [[0.3, 0.1], [1.2, 0.4], [0.5, 0.0]]
    assert measured.waiting_s()[:, 1].tolist() == [0.05, 0.2, 0.01]
    for draw in range(1, 51):
        assert {tuple(row) for row in measured.cpu_s(draw).tolist()} <= {(0.3, 0.1), (1.2, 0.4), (0.5, 0.0)}
        np.testing.assert_array_equal(measured.waiting_s(draw), measured.waiting_s()[measured.rows(draw)])


def test_draws_take_turns_with_replacement_and_have_luck_of_their_own() -> None:
    many = profile(turns=pl.concat([TURNS] * 200), draws=300)
    rows = [many.rows(draw) for draw in range(1, 301)]
    assert not np.array_equal(rows[0], rows[1])
    np.testing.assert_array_equal(rows[4], profile(turns=pl.concat([TURNS] * 200), draws=300).rows(5))
    # The standard error of a mean by the bootstrap is that of theory.
    means = np.array([many.cpu_s(draw)[:, 0].mean() for draw in range(1, 301)])
    assert means.std() == pytest.approx(many.cpu_s()[:, 0].std() / math.sqrt(600), rel=0.15)


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    before = profile(seed=4)
    before.save(tmp_path / "profile.parquet")
    after = ServiceProfile.load(tmp_path / "profile.parquet")
    assert after.turns.equals(before.turns)
    for name in ("components", "origin", "memory_gib", "batches", "draws", "seed"):
        assert getattr(after, name) == getattr(before, name)


def test_another_contract_and_another_version_are_refused(tmp_path: Path) -> None:
    Plan.of([]).save(tmp_path / "plan.parquet")
    with pytest.raises(InputError, match="expected service profile version 1, found None: measure the service again"):
        ServiceProfile.load(tmp_path / "plan.parquet")
    TURNS.write_parquet(tmp_path / "newer.parquet", metadata={"twinloop.service_profile": '{"version": 2}'})
    with pytest.raises(InputError, match="expected service profile version 1, found 2"):
        ServiceProfile.load(tmp_path / "newer.parquet")


OTHER = Origin("two", 8, {"hear": "d" * 64, "speak": "b" * 64}, index="c" * 64)


@pytest.mark.parametrize(
    ("here", "allowed", "expected"),
    [
        (OTHER, (), "measured elsewhere: machine one, here two; cores 2, here 8; and hear: measure the service again"),
        (OTHER, ("machine", "cores"), "measured elsewhere: hear aaaaaaaaaaaa…, here dddddddddddd…: measure"),
        (replace(HERE, index=""), (), "index cccccccccccc…, here none"),
        (replace(HERE, providers={"hear": "a" * 64}), (), "speak bbbbbbbbbbbb…, here none"),
        (HERE, ("machin",), "allowed: unknown name 'machin'; did you mean 'machine'"),
    ],
)
def test_a_profile_from_elsewhere_is_refused_unless_allowed_by_name(
    here: Origin, allowed: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        profile().accepted(here, allowed=allowed)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300


def test_what_is_allowed_is_told() -> None:
    assert profile().accepted(HERE) == ()
    assert profile().accepted(HERE, allowed=("machine",)) == ()
    told = profile().accepted(OTHER, allowed=("machine", "cores", "hear"))
    assert told == ("machine one, here two", "cores 2, here 8", "hear aaaaaaaaaaaa…, here dddddddddddd…")


def test_machines_are_told_by_their_whole_names() -> None:
    xeons = [Origin(f"Intel(R) Xeon(R) Platinum {number} CPU @ 2.90GHz, 2 cores", 2, {}) for number in (8175, 8375)]
    (told,) = xeons[0].differences(xeons[1]).values()
    assert "8175" in told
    assert "8375" in told


def changed(**columns: list[Any]) -> dict[str, Any]:
    return {"turns": TURNS.with_columns(**{name: pl.Series(values) for name, values in columns.items()})}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"turns": TURNS.clear()}, "expected at least one measured turn, got none"),
        ({"turns": TURNS.drop("words")}, "expected words Int64, got no such column: measure the service again"),
        ({"turns": TURNS.with_columns(mood=1)}, "expected no more columns, got mood Int32: measure"),
        ({"turns": TURNS.cast({"words": pl.Float64})}, "expected words Int64, got words Float64: measure"),
        ({"components": ("hear", "talk")}, "expected talk_cpu_s Float64, talk_waiting_s Float64, got speak_cpu_s"),
        (
            {"components": tuple("abcdef")},
            "a_cpu_s Float64, a_waiting_s Float64, b_cpu_s Float64, b_waiting_s Float64 and 8",
        ),
        ({"components": ()}, "expected different components, got none"),
        ({"components": ("hear", "hear")}, "expected different components, got hear, hear"),
        (changed(hear_cpu_s=[0.3, math.nan, 0.5]), "turn 1: hear_cpu_s = nan: expected a finite number ≥ 0"),
        (changed(hear_cpu_s=[0.3, math.inf, 0.5]), "turn 1: hear_cpu_s = inf"),
        (changed(speak_waiting_s=[-0.1, 0.0, 0.0]), "turn 0: speak_waiting_s = -0.1"),
        (changed(words=[1, 2, -3]), "turn 2: words = -3"),
        (changed(hear_cpu_s=[0.3, None, 0.5]), "turn 1: hear_cpu_s is missing"),
        (changed(cached=[None, True, True]), "turn 0: cached is missing"),
        ({"batches": {"her": {1: 0.3}}}, "batches: component: unknown name 'her'; did you mean 'hear'"),
        ({"batches": {"hear": {0: 0.3}}}, "batches: hear: expected sizes from 1 and seconds > 0, got 0: 0.3"),
        ({"batches": {"hear": {2: math.nan}}}, "got 2: nan"),
        ({"origin": replace(HERE, cores=0)}, "expected cores from 1"),
        ({"origin": replace(HERE, providers={"hear": ""})}, "expected a digest of every provider"),
        ({"memory_gib": 0.0}, "expected memory_gib > 0"),
        ({"memory_gib": math.nan}, "expected memory_gib > 0"),
        ({"draws": -1}, "expected draws ≥ 0"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_in_one_line(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError, match="service profile: ") as caught:
        profile(**changes)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize("draw", [-1, 51])
def test_a_draw_that_does_not_exist_is_refused(draw: int) -> None:
    with pytest.raises(InputError, match=f"draw {draw}: expected 0 \\(as measured\\) to 50"):
        profile().rows(draw)
