from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from tests.vision.evaluation.judged import SIZE, judged
from twinloop.vision.evaluation import explain
from twinloop.vision.evaluation.explanations import (
    maps_of,
    part_weights,
    score_explanations,
    scored_images,
)
from twinloop.vision.evaluation.judgement import Judgement
from twinloop.vision.evaluation.settings import ExplanationSettings, Method
from twinloop.vision.evaluation.verdicts import BETTER, MEASURES, NO_BETTER, verdicts
from twinloop.vision.inference.predict import DeployedDetector

QUICK = ExplanationSettings(images=40, steps=5)


class Blind:
    """Explains every image by a blob in the middle, a little to one side."""

    def maps(self, images: np.ndarray, method: Method) -> tuple[str, np.ndarray]:
        return "rollout", np.roll(explain.centre_blob((len(images), 8, 8)), 1, axis=2)


@pytest.fixture(scope="module")
def quick(detector: DeployedDetector) -> Judgement:
    return judged(detector, explanations=QUICK)


def test_a_map_of_the_bright_spot_beats_the_blob_and_a_blind_one_is_said_to_be_no_better(
    quick: Judgement, detector: DeployedDetector
) -> None:
    scored = score_explanations(quick, detector, ("heat", "network"), explainer=Blind(), seed=3)
    metrics = scored.metrics()
    assert metrics["explanation_heat"] == BETTER
    assert str(metrics["explanation_rollout"]).startswith(NO_BETTER)
    assert "explanation_random" not in metrics
    assert metrics["explanation_heat_pointing"] > 0.9  # type: ignore[operator]
    assert metrics["explanation_heat_deletion"] < metrics["explanation_centre_blob_deletion"]  # type: ignore[operator]
    assert metrics["explanation_heat_insertion"] > metrics["explanation_random_insertion"]  # type: ignore[operator]
    assert (metrics["explanation_images"], scored.images) == (40, 40)
    assert 20 <= scored.parts <= 30  # forty photographs of the thirty parts with a mask


def test_every_map_is_held_against_both_baselines_in_every_score(quick: Judgement, detector: DeployedDetector) -> None:
    scores = score_explanations(quick, detector, ("heat", "attention"), explainer=None, seed=3).scores
    assert scores["method"].unique(maintain_order=True).to_list() == ["heat", "attention", "centre_blob", "random"]
    assert len(scores) == 4 * len(MEASURES) * 2
    own = scores.filter(pl.col("method") == pl.col("baseline"))
    assert own["difference"].to_list() == own["difference_low"].to_list() == [0.0] * 8
    heat = scores.filter((pl.col("method") == "heat") & (pl.col("baseline") == "random"))
    other = scores.filter((pl.col("method") == "random") & (pl.col("baseline") == "random"))
    sign = np.array(list(MEASURES.values()))
    assert heat["difference"].to_numpy() == pytest.approx(sign * (heat["value"] - other["value"]).to_numpy())
    assert (scores["low"] <= scores["value"]).all()
    assert (scores["value"] <= scores["high"]).all()


def test_the_curves_are_those_whose_areas_are_scored(quick: Judgement, detector: DeployedDetector) -> None:
    scored = score_explanations(quick, detector, ("heat",), explainer=None, seed=3)
    for curve in ("deletion", "insertion"):
        rows = scored.curves.filter((pl.col("method") == "heat") & (pl.col("curve") == curve))
        area = float(np.trapezoid(rows["score"].to_numpy(), rows["fraction"].to_numpy()))
        assert area == pytest.approx(scored.metrics()[f"explanation_heat_{curve}"])
        assert len(rows) == QUICK.steps + 1


def test_without_masks_only_the_curves_can_be_scored(quick: Judgement, detector: DeployedDetector) -> None:
    import dataclasses

    data = dataclasses.replace(quick.test.data, masks=np.zeros_like(quick.test.data.masks))
    bare = dataclasses.replace(quick, test=dataclasses.replace(quick.test, data=data))
    scored = score_explanations(bare, detector, ("heat",), explainer=None, seed=3)
    assert scored.scores["measure"].unique(maintain_order=True).to_list() == ["deletion", "insertion"]


@pytest.mark.parametrize(
    ("lows", "verdict"),
    [
        ((0.1, 0.2, 0.1, 0.1), BETTER),
        ((0.1, 0.0, 0.1, -0.1), f"{NO_BETTER} in energy, insertion"),
        ((0.0, -0.1, -0.2, 0.0), NO_BETTER),
    ],
)
def test_an_interval_that_touches_zero_is_no_better(lows: Sequence[float], verdict: str) -> None:
    scores = pl.DataFrame(
        {"method": "heat", "measure": list(MEASURES), "baseline": "centre_blob", "difference_low": list(lows)}
    )
    assert verdicts(scores) == {"heat": verdict}


def test_scored_images_are_defective_masked_few_and_the_same_again(quick: Judgement) -> None:
    places = scored_images(quick.test, 7, seed=1)
    assert len(places) == 7
    assert quick.test.data.masks[places].any(axis=(1, 2)).all()
    assert places.tolist() == scored_images(quick.test, 7, seed=1).tolist()
    assert places.tolist() != scored_images(quick.test, 7, seed=2).tolist()


def test_parts_are_drawn_whole() -> None:
    weights, parts = part_weights(["a", "a", "b"], seed=0)
    assert parts == 2
    assert weights[0].tolist() == pytest.approx([1 / 3] * 3)
    assert weights.sum(axis=1) == pytest.approx(np.ones(len(weights)))
    assert np.array_equal(weights[:, 0], weights[:, 1])


def test_maps_have_the_images_size_and_no_negative_value(quick: Judgement) -> None:
    maps = maps_of(quick.test, np.array([0, 200]), ("heat", "attention", "network"), Blind())
    assert list(maps) == ["heat", "attention", "rollout"]
    assert all(found.shape == (2, SIZE, SIZE) and found.min() >= 0 for found in maps.values())
    assert list(maps_of(quick.test, np.array([0]), ("heat", "network"), None)) == ["heat"]


@pytest.mark.parametrize("methods", [(), ("heat", "heat"), ("saliency",)])
def test_methods_that_make_no_sense_are_refused(methods: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="methods"):
        ExplanationSettings(methods=methods)  # type: ignore[arg-type]
