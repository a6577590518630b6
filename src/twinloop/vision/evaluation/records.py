"""What a judgement leaves for a station and for the report: operating point, predictions, tables, examples."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve, OperatingPoint, Thresholds
from twinloop.contracts.calibration import reliability
from twinloop.contracts.repeatability import gauge
from twinloop.vision.evaluation.explanations import Explainer, maps_of
from twinloop.vision.evaluation.judgement import Judgement, Outputs
from twinloop.vision.evaluation.settings import Method
from twinloop.vision.inference.predict import UNNAMED
from twinloop.vision.monitoring.reference import DriftReference, make_reference
from twinloop.vision.monitoring.statistics import Observations, observe
from twinloop.vision.scores import defect_shares, probability

GAUGE_SCHEMA = {
    "name": pl.String,
    "parts": pl.Int64,
    "images": pl.Int64,
    "part_sd": pl.Float64,
    "repeat_sd": pl.Float64,
    "grr": pl.Float64,
    "grr_low": pl.Float64,
    "grr_high": pl.Float64,
    "categories": pl.Int64,
}


def operating_point(judgement: Judgement) -> OperatingPoint:
    """What a station needs beside the graph: calibration, thresholds, and what they were chosen for."""
    settings, curve = judgement.settings, judgement.curve
    return OperatingPoint(
        classes=curve.classes,
        model=curve.model,
        accept_below=curve.accept_below,
        reject_from=curve.reject_from,
        calibration=judgement.on_line.record(),
        heat_threshold=settings.heat_threshold,
        today=Thresholds(settings.today_threshold, settings.today_threshold),
        line_defect_rate=settings.line_defect_rate,
        prevalence=tuple(curve.prevalence.tolist()),
        repeatability=curve.repeatability,
        costs=asdict(settings.costs),
    )


def predictions(judgement: Judgement) -> pl.DataFrame:
    """One row per test image (per image of all, out of fold): truth, raw score, probability on the line, decision.

    A detector that names no defects calls each "defect", with no probability of its type.
    """
    test, curve = judgement.counted, judgement.curve
    defect_probability = judgement.on_line.probability(test.scores)
    shares = defect_shares(test.logits)
    kinds = shares.argmax(axis=1)
    names = np.array(test.data.classes)
    return pl.DataFrame(
        {
            "image": test.data.names,
            "group": test.data.groups,
            "label": names[test.data.labels],
            "score": test.scores,
            "probability": defect_probability,
            "decision": _decisions(defect_probability, curve),
            "decision_today": _decisions(defect_probability, judgement.today),
            "defect_type": names[1 + kinds] if judgement.names_defects else [UNNAMED] * len(kinds),
            "type_probability": shares.max(axis=1) if judgement.names_defects else [None] * len(kinds),
        },
        schema_overrides={"type_probability": pl.Float64},
    )


def reliability_table(judgement: Judgement) -> pl.DataFrame:
    """Bins of the reliability diagram of what is counted, before and after calibration, at its own share of defects."""
    test = judgement.counted
    calibrated = judgement.fitted.at_defect_rate(float(test.defective.mean())).probability(test.scores)
    rows = [
        {"scores": name, **row}
        for name, values in (("uncalibrated", probability(test.scores)), ("calibrated", calibrated))
        for row in reliability(values, test.defective)
    ]
    return pl.DataFrame(rows)


def gauge_table(judgement: Judgement) -> pl.DataFrame:
    """Repeatability over exposures of the same part: one row per class with repeats, and one over all parts."""
    test = judgement.counted
    studies = gauge(test.scores, test.data.labels, test.data.groups, classes=test.data.classes)
    return pl.DataFrame([asdict(study) for study in studies], schema=GAUGE_SCHEMA)


def drift_reference(judgement: Judgement, *, seed: int) -> DriftReference:
    """The test parts as the line would show them; the embedding's centre is that of the good validation parts."""
    test, validation = judgement.test, judgement.validation
    size, channels = test.data.images.shape[2:]
    return make_reference(
        _observed(judgement, validation, ~validation.defective),
        _observed(judgement, test, np.ones(len(test.scores), bool)),
        test.data.labels,
        test.data.groups,
        prevalence=judgement.curve.prevalence,
        model=judgement.curve.model,
        shape=(size, channels),
        settings=judgement.settings.drift,
        seed=seed,
    )


def examples(
    judgement: Judgement, methods: Sequence[Method], *, explainer: Explainer | None = None
) -> dict[str, NDArray[Any]]:
    """Test images for figures, per class from the lowest score to the highest: arrays of equal length.

    images, masks, masked, labels, names, scores, probability, decision, and for each explanation map_<name> at the
    images' size, the heat map as probabilities; and `classes`.
    """
    test = judgement.test
    picked = np.concatenate(
        [_spread(test, label, judgement.settings.examples) for label in range(len(test.data.classes))]
    )
    defect_probability = judgement.on_line.probability(test.scores[picked])
    maps = maps_of(test, picked, ("heat", *(name for name in methods if name != "heat")), explainer)
    return {
        "images": test.data.images[picked],
        "masks": test.data.masks[picked],
        "masked": test.data.masked[picked],
        **{f"map_{name}": values.astype(np.float32) for name, values in maps.items()},
        "labels": test.data.labels[picked],
        "names": np.array(test.data.names)[picked],
        "scores": test.scores[picked],
        "probability": defect_probability,
        "decision": np.array(_decisions(defect_probability, judgement.curve)),
        "classes": np.array(test.data.classes),
    }


def _observed(judgement: Judgement, outputs: Outputs, chosen: NDArray[np.bool_]) -> Observations:
    scores = outputs.scores[chosen]
    return observe(
        outputs.data.images[chosen],
        probability(outputs.heat[chosen]),
        scores,
        judgement.on_line.probability(scores) >= judgement.curve.accept_below,
        outputs.unlike[chosen],
    )


def _decisions(defect_probability: NDArray[np.float64], curve: OperatingCurve) -> list[str]:
    return [curve.decide(value).value for value in defect_probability.tolist()]


def _spread(test: Outputs, label: int, count: int) -> NDArray[np.int64]:
    members = np.flatnonzero(test.data.labels == label)
    members = members[np.argsort(test.scores[members], kind="stable")]
    places = np.linspace(0, len(members) - 1, min(count, len(members))).round().astype(np.int64)
    picked: NDArray[np.int64] = members[places]
    return picked
