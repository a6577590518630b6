"""Figures of conversations: each can be drawn, says its units, and shows what its tables hold by more than colour."""

import polars as pl
import pytest

from tests.reporting.pictures import assert_labelled, assert_tells, assert_whole
from twinloop.dialogue.datasets.corpus import rows
from twinloop.dialogue.evaluation.side_by_side import COMPARED
from twinloop.reporting.figures import dialogue

HOSTILE = "<script>alert(1)</script> $x_1$"
RATES = pl.DataFrame(
    [("whisper", "all", 0.1, 0.05, 0.2), (HOSTILE, "all", 0.4, 0.3, 1.2), ("whisper", HOSTILE, 0.0, 0.0, 0.0)],
    schema=["provider", "voice", "wer", "low", "high"],
    orient="row",
)
WAYS = rows(
    COMPARED,
    [
        ("typed", "hit", 0.8, 0.7, 0.9, None, None, None),
        (HOSTILE, "hit", 0.5, 0.4, 0.6, -0.3, -0.4, -0.1),
        ("by words", "hit", 0.7, 0.6, 0.8, -0.1, -0.3, 0.1),
        ("leaky", "hit", 0.9, 0.8, 1.0, 0.1, 0.05, 0.2),
    ],
)
REFUSALS = pl.DataFrame(
    [(-1.0, 0.0, 0.0, False), (0.0, 0.7, 0.1, True), (1.0, 0.9, 0.4, False)],
    schema=["threshold", "recall", "false", "shipped"],
    orient="row",
)
RANKS = pl.DataFrame(
    [("formality", 0.9, 0.85, 0.95), (HOSTILE, -0.2, -0.4, 0.1)], schema=["slider", "rank", "low", "high"], orient="row"
)
FORMATS = pl.DataFrame(
    [("float32", 0.8, 0.7, 4.0, 5.0), ("int8", 0.795, 0.6, 2.0, 2.5)],
    schema=["format", "nDCG@10", "answers right", "p50_ms", "p95_ms"],
    orient="row",
)
COMMANDS = pl.DataFrame({"word": ["yes", "no", "no"], "said": ["yes", "yes", HOSTILE]})
FIGURES = {
    "word errors": lambda: dialogue.word_error_rates(RATES),
    "ways": lambda: dialogue.ways(WAYS, label="answers right", title="How far do errors go?"),
    "ways of 1": lambda: dialogue.ways(WAYS, label="nDCG@10", title="Which way finds?", share=False),
    "refusals": lambda: dialogue.refusals(REFUSALS, allowed=0.1),
    "sliders": lambda: dialogue.sliders(RANKS, aim=0.8),
    "gate": lambda: dialogue.gate(FORMATS, allowed={"nDCG@10": 0.01, "answers right": 0.01}, served="float32"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_can_be_drawn_whole_and_names_its_units(name: str) -> None:
    figure = FIGURES[name]()
    assert_tells(figure)
    assert_labelled(figure)
    assert_whole(figure)


def test_commands_are_counted_by_what_was_said() -> None:
    figure = dialogue.commands(COMMANDS)
    assert_tells(figure)
    assert_whole(figure)
    assert "1 of 3 test recordings get their true command" in figure.alt


def markers(name: str, panel: int) -> list[str]:
    """Signs of a panel's values from top to bottom."""
    lines = (line for line in FIGURES[name]().axes[panel].lines if line.get_marker() not in ("None", ""))
    placed = sorted((float(line.get_ydata()[0]), str(line.get_marker())) for line in lines if len(line.get_ydata()))
    return [marker for _, marker in placed]


def test_a_difference_tells_by_its_sign_whether_it_is_sure() -> None:
    assert markers("ways", 1) == ["v", "o", "^"]


def test_figures_and_their_differences_are_told_in_words_and_points() -> None:
    told = FIGURES["ways"]().alt
    assert "typed 80.0 (70.0 … 90.0); " in told
    assert "difference −30.0 (−40.0 … −10.0)" in told
    assert "difference −0.300 (−0.400 … −0.100)" in FIGURES["ways of 1"]().alt


def test_what_loses_more_than_the_gate_allows_has_a_cross() -> None:
    assert markers("gate", 0) == ["o", "o"]
    assert markers("gate", 1) == ["o", "X"]
    assert "served in float32" in FIGURES["gate"]().alt


def test_the_shipped_threshold_is_marked_with_what_it_refuses() -> None:
    figure = FIGURES["refusals"]()
    assert "70\u202f% refused, 10\u202f% of answerable ones too" in {text.get_text() for text in figure.axes[0].texts}
    assert "at the shipped one 70\u202f% refused" in figure.alt
    assert "no threshold is marked" in dialogue.refusals(REFUSALS.with_columns(shipped=False)).alt


@pytest.mark.parametrize(
    "figure",
    [
        lambda: dialogue.word_error_rates(pl.DataFrame()),
        lambda: dialogue.commands(pl.DataFrame()),
        lambda: dialogue.ways(WAYS.clear(), label="answers right", title="How far do errors go?"),
        lambda: dialogue.refusals(REFUSALS.clear()),
        lambda: dialogue.sliders(RANKS.clear()),
        lambda: dialogue.gate(pl.DataFrame(), allowed={}, served="float32"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(figure) -> None:
    drawn = figure()
    assert_tells(drawn)
    assert not drawn.axes
