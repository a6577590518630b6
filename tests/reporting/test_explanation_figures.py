import numpy as np
import polars as pl
import pytest

from tests.reporting.pictures import assert_labelled, assert_tells
from twinloop.reporting.figures import explanations, monitoring

HOSTILE = "<script>alert(1)</script> $x_1$"
NAMES = {"heat": "heat map", "rollout": HOSTILE, "centre_blob": "blob", "random": "random map"}
BASELINES = ("centre_blob", "random")
MEASURES = ("pointing", "energy", "deletion", "insertion")
VALUES = {"heat": 0.8, "rollout": 0.3, "centre_blob": 0.2, "random": 0.1}


def scores(measures: tuple[str, ...] = MEASURES) -> pl.DataFrame:
    rows = [
        (name, measure, value, value - 0.05, value + 0.05, baseline, 0.1 if name == "heat" else -0.1)
        for name, value in VALUES.items()
        for measure in measures
        for baseline in BASELINES
    ]
    columns = ["method", "measure", "value", "low", "high", "baseline", "difference_low"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def curves() -> pl.DataFrame:
    rows = [
        (name, curve, fraction, value * (1 - fraction), 0.0, 1.0)
        for name, value in VALUES.items()
        for curve in ("deletion", "insertion")
        for fraction in (0.0, 0.25, 1.0)
    ]
    return pl.DataFrame(rows, schema=["method", "curve", "fraction", "score", "low", "high"], orient="row")


P_VALUES = {"score": [0.5, 1e-6, 0.2], "brightness": [0.9, 0.8, 0.0], HOSTILE: [0.5, 0.5, 0.5]}
FIGURES = {
    "scores": lambda: explanations.explanation_scores(scores(), names=NAMES, baselines=BASELINES),
    "curves": lambda: explanations.perturbation_curves(curves(), names=NAMES, baselines=BASELINES),
    "gauge": lambda: monitoring.gauge({"good": (0.7, 0.5, 0.9), HOSTILE: (0.05, 0.02, 0.2)}),
    "unlike": lambda: monitoring.unlike({"good": [0.9, 1.1], HOSTILE: [8.0]}, limit=1.3, false_alarms=0.01),
    "drift": lambda: monitoring.drift_windows(P_VALUES, level=1e-4),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_units_words_and_can_be_drawn(name):
    figure = FIGURES[name]()
    assert_tells(figure)
    assert_labelled(figure)


def test_a_method_that_does_not_beat_the_blob_is_hollow_and_said_so():
    figure = FIGURES["scores"]()
    faces = {}
    for place, name in enumerate(NAMES):
        dots = [line for line in figure.axes[0].lines if line.get_marker() == "o" and line.get_ydata()[0] == place]
        faces[name] = dots[0].get_markerfacecolor()
    assert faces["rollout"] == "white"
    assert "white" not in {faces["heat"], faces["centre_blob"], faces["random"]}
    assert "heat map pointing 0.800," in figure.alt
    assert f"{HOSTILE} pointing 0.300 (no better)" in figure.alt


def test_shares_are_shown_in_per_cent_and_areas_as_they_are():
    figure = FIGURES["scores"]()
    first = [line.get_xdata()[0] for axes in figure.axes for line in axes.lines if line.get_marker() == "o"][::4]
    assert first == pytest.approx([80, 80, 0.8, 0.8])


def test_without_masks_two_panels_are_left():
    figure = explanations.explanation_scores(scores(MEASURES[2:]), names=NAMES, baselines=BASELINES)
    assert [axes.get_title(loc="left").split(":")[0] for axes in figure.axes] == ["deletion", "insertion"]


def test_curves_run_over_the_share_of_pixels_with_baselines_broken():
    left, right = FIGURES["curves"]().axes
    assert left.lines[0].get_xdata().tolist() == [0, 25, 100]
    assert left.lines[0].get_ydata().tolist() == pytest.approx([0.8, 0.6, 0.0])
    assert [line.get_linestyle() for line in right.lines] == ["-", "-", "--", ":"]
    assert len({line.get_color() for line in right.lines}) == 4


@pytest.mark.parametrize("count", [0, 1, 3])
def test_each_image_has_its_defect_and_every_map_in_one_row(count):
    masks = np.zeros((count, 16, 16), np.uint8)
    masks[:, 4:8, 4:8] = 1
    figure = explanations.side_by_side(
        np.full((count, 16, 16, 1), 120, np.uint8),
        masks,
        {"heat map": np.ones((count, 16, 16)), "GradCAM": np.zeros((count, 16, 16))},
        titles=[f"{HOSTILE}: p = 0.50, accept"] * count,
    )
    assert [len(axes.images) for axes in figure.axes[: 3 * count]] == [1, 2, 2] * count
    assert figure.png.startswith(b"\x89PNG")
    assert figure.css_width <= 800


def test_gauge_bars_are_per_cent_with_their_interval():
    axes = FIGURES["gauge"]().axes[0]
    bars = [line.get_xdata() for line in axes.lines if line.get_linewidth() == 7]
    assert [list(bar) for bar in bars] == [pytest.approx([50, 90]), pytest.approx([2, 20])]
    dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([70, 5])


def test_parts_photographed_once_are_said_in_words():
    figure = monitoring.gauge({})
    assert "no part was photographed twice" in figure.alt
    assert figure.png.startswith(b"\x89PNG")


def test_windows_below_the_limit_are_alarms():
    figure = FIGURES["drift"]()
    alarms = [list(line.get_xdata()) for axes in figure.axes[:3] for line in axes.lines if line.get_marker() == "D"]
    assert alarms == [[2], [3], []]
    assert figure.alt.endswith("alarms: score 1 of 3, brightness 1 of 3")
