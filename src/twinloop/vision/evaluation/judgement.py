"""One exported detector, judged: calibrated and set to its thresholds on validation images, measured on test images.

The test split has no part in any choice. What is chosen on the validation split (calibration, the two thresholds, the
F1 threshold) is chosen on images that also stopped the training, so only the test figures count.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.vision.evaluation import explain, measurement
from twinloop.vision.evaluation.calibration import (
    Calibration,
    brier,
    expected_calibration_error,
    fit_calibration,
    reliability,
)
from twinloop.vision.evaluation.operating import (
    EvaluateSettings,
    least_cost_thresholds,
    operating_curve,
    outcome,
    repeatability,
)
from twinloop.vision.index import ImageSet
from twinloop.vision.inference.predict import OnnxDetector
from twinloop.vision.scores import anomaly_score, defect_shares, probability, upscale

BATCH = 32


@dataclass(frozen=True, eq=False)
class Outputs:
    """Raw outputs of one graph on one split: logits [N, K], heat logits [N, h, w], anomaly scores [N]."""

    data: ImageSet
    logits: NDArray[np.float32]
    heat: NDArray[np.float32]
    scores: NDArray[np.float64]

    @property
    def defective(self) -> NDArray[np.bool_]:
        """[N], the truth."""
        return self.data.labels > 0


@dataclass(frozen=True, eq=False)
class Judgement:
    """A detector with what was chosen for it (on validation images) and what was measured of it (on test images).

    fitted: the calibration at the validation split's share of defects; on_line: at the line's.
    curve: measured on the test split, at the chosen thresholds. repeatability_measured: whether ρ is from the data.
    """

    validation: Outputs
    test: Outputs
    fitted: Calibration
    on_line: Calibration
    curve: OperatingCurve
    repeatability_measured: bool
    settings: EvaluateSettings

    @property
    def today(self) -> OperatingCurve:
        """The same detector at today's single threshold."""
        return self.curve.at(self.settings.today_threshold)


def raw_outputs(detector: OnnxDetector, data: ImageSet) -> Outputs:
    """Run a graph over one split."""
    parts = [detector.raw(data.images[start : start + BATCH]) for start in range(0, len(data), BATCH)]
    logits, heat = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Outputs(data, logits, heat[:, 0], anomaly_score(logits))


def judge(
    detector: OnnxDetector, validation: ImageSet, test: ImageSet, *, settings: EvaluateSettings, model: str, seed: int
) -> Judgement:
    """Calibrate and choose thresholds on `validation`, measure the operating curve on `test`.

    model: digest of the graph, kept in the curve. Raises InputError for a split without good or defective images.
    """
    chosen_on, measured_on = raw_outputs(detector, validation), raw_outputs(detector, test)
    fitted = fit_calibration(chosen_on.scores, chosen_on.defective, method=settings.calibration)
    on_line = fitted.at_defect_rate(settings.line_defect_rate)
    curves = []
    for place, outputs in enumerate((chosen_on, measured_on)):
        measured = repeatability(outputs.scores, outputs.data.labels, outputs.data.groups)
        curve = operating_curve(
            on_line.probability(outputs.scores),
            outputs.data.labels,
            groups=outputs.data.groups,
            classes=outputs.data.classes,
            settings=settings,
            part_repeatability=settings.repeatability if measured is None else measured,
            seed=2 * seed + place,
            model=model,
        )
        curves.append((curve, measured is not None))
    (chooser, _), (curve, is_measured) = curves
    thresholds = least_cost_thresholds(chooser, settings.costs, reinspection=settings.reinspection)
    return Judgement(chosen_on, measured_on, fitted, on_line, curve.at(*thresholds), is_measured, settings)


def figures(judgement: Judgement, *, seed: int) -> dict[str, float | int | str | None]:
    """Everything measured on the test split, flat, the headline first; rates are after at most two looks."""
    test, settings, curve = judgement.test, judgement.settings, judgement.curve
    share = float(test.defective.mean())
    calibrated = judgement.fitted.at_defect_rate(share).probability(test.scores)
    ones, rates = np.ones(len(test.scores)), _rates(curve, settings)
    auroc = measurement.image_auroc(test.scores, test.defective, ones)
    ap = measurement.image_ap(test.scores, test.defective, ones)
    drawn = {
        name: measurement.interval(
            statistic, test.scores, test.data.labels, groups=test.data.groups, draws=settings.draws, seed=seed
        )
        for name, statistic in (("auroc", measurement.image_auroc), ("ap", measurement.image_ap))
    }
    f1_threshold = measurement.best_f1_threshold(judgement.validation.scores, judgement.validation.defective)
    kinds = 1 + defect_shares(test.logits).argmax(axis=1)
    accepted = outcome(curve, settings.costs).accepted
    return {
        "auroc": auroc,
        "ap": ap,
        "ece": expected_calibration_error(calibrated, test.defective),
        **{name: values[0] for name, values in rates.items()},
        "threshold": curve.accept_below,
        "reject_from": curve.reject_from,
        **{f"{name}_today": values[0] for name, values in _rates(judgement.today, settings).items()},
        "threshold_today": settings.today_threshold,
        "auroc_low": drawn["auroc"][0],
        "auroc_high": drawn["auroc"][1],
        "ap_low": drawn["ap"][0],
        "ap_high": drawn["ap"][1],
        **{f"{name}_low": float(np.percentile(values[1:], 2.5)) for name, values in rates.items()},
        **{f"{name}_high": float(np.percentile(values[1:], 97.5)) for name, values in rates.items()},
        "f1": measurement.f1_score(test.scores, test.defective, threshold=f1_threshold),
        "type_accuracy": float(np.mean(kinds[test.defective] == test.data.labels[test.defective])),
        **{f"recall_{name}": float(1 - accepted[place + 1]) for place, name in enumerate(curve.classes[1:])},
        **_pixel_figures(test, settings),
        "ece_uncalibrated": expected_calibration_error(probability(test.scores), test.defective),
        "brier": brier(calibrated, test.defective),
        "repeatability": curve.repeatability,
        "repeatability_source": "measured" if judgement.repeatability_measured else "configured",
        "line_defect_rate": settings.line_defect_rate,
        "test_images": len(test.scores),
        "test_parts": int(curve.counts.sum()),
    }


def operating_point(judgement: Judgement) -> dict[str, Any]:
    """What a station needs beside the graph: calibration, thresholds, and what they were chosen for."""
    settings, curve = judgement.settings, judgement.curve
    today = settings.today_threshold
    return {
        "classes": list(curve.classes),
        "model": curve.model,
        "accept_below": curve.accept_below,
        "reject_from": curve.reject_from,
        "today": {"accept_below": today, "reject_from": today},
        "calibration": judgement.on_line.record(),
        "heat_threshold": settings.heat_threshold,
        "line_defect_rate": settings.line_defect_rate,
        "prevalence": curve.prevalence.tolist(),
        "repeatability": curve.repeatability,
        "costs": {
            "escape": settings.costs.escape,
            "false_reject": settings.costs.false_reject,
            "reinspect": settings.costs.reinspect,
        },
    }


def predictions(judgement: Judgement) -> pl.DataFrame:
    """One row per test image: truth, raw score, defect probability on the line, the decision of one look."""
    test, curve = judgement.test, judgement.curve
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
            "defect_type": names[1 + kinds],
            "type_probability": shares.max(axis=1),
        }
    )


def reliability_table(judgement: Judgement) -> pl.DataFrame:
    """Bins of the reliability diagram on the test split, before and after calibration, at that split's share."""
    test = judgement.test
    calibrated = judgement.fitted.at_defect_rate(float(test.defective.mean())).probability(test.scores)
    rows = [
        {"scores": name, **row}
        for name, values in (("uncalibrated", probability(test.scores)), ("calibrated", calibrated))
        for row in reliability(values, test.defective)
    ]
    return pl.DataFrame(rows)


def examples(judgement: Judgement) -> dict[str, NDArray[Any]]:
    """Test images for figures, per class from the lowest score to the highest: arrays of equal length.

    images, masks, masked, heat (probabilities at the images' size), attention (weights at a quarter of it), labels,
    names, scores, probability, decision; and `classes`.
    """
    test = judgement.test
    picked = np.concatenate(
        [_spread(test, label, judgement.settings.examples) for label in range(len(test.data.classes))]
    )
    size = test.data.images.shape[1]
    defect_probability = judgement.on_line.probability(test.scores[picked])
    return {
        "images": test.data.images[picked],
        "masks": test.data.masks[picked],
        "masked": test.data.masked[picked],
        "heat": probability(upscale(test.heat[picked], (size, size))),
        "attention": explain.attention(test.heat[picked], size=size).astype(np.float32),
        "labels": test.data.labels[picked],
        "names": np.array(test.data.names)[picked],
        "scores": test.scores[picked],
        "probability": defect_probability,
        "decision": np.array(_decisions(defect_probability, judgement.curve)),
        "classes": np.array(test.data.classes),
    }


def _rates(curve: OperatingCurve, settings: EvaluateSettings) -> dict[str, list[float]]:
    """Per figure the estimate and then one value per draw of the curve."""
    results = [outcome(curve, settings.costs, draw=draw) for draw in range(curve.draws + 1)]
    mix = curve.prevalence[1:] / curve.prevalence[1:].sum()
    return {
        "escape_rate": [float(mix @ result.accepted[1:]) for result in results],
        "false_reject_rate": [float(1 - result.accepted[0]) for result in results],
        "reinspect_rate": [float(curve.prevalence @ result.reinspected) for result in results],
        "expected_cost_per_part": [result.cost_per_part for result in results],
    }


def _pixel_figures(test: Outputs, settings: EvaluateSettings) -> dict[str, float | None]:
    masks = test.data.masks[test.data.masked]
    heat = upscale(test.heat[test.data.masked], masks.shape[1:])
    maps = probability(heat)
    threshold = settings.heat_threshold
    measured: dict[str, float | None] = {
        "pixel_auroc": measurement.pixel_auroc(heat, masks),
        "iou": measurement.pixel_iou(maps, masks, threshold=threshold),
    }
    if masks.any():
        for name, candidate in (("", maps), ("_centre_blob", explain.centre_blob(masks.shape))):
            found = explain.localisation(candidate, masks, threshold=threshold)
            measured[f"pointing{name}"] = found.pointing
            measured[f"heat_energy{name}"] = found.energy
            measured[f"heat_iou{name}"] = found.iou
    return measured


def _decisions(defect_probability: NDArray[np.float64], curve: OperatingCurve) -> list[str]:
    return [curve.decide(value).value for value in defect_probability.tolist()]


def _spread(test: Outputs, label: int, count: int) -> NDArray[np.int64]:
    members = np.flatnonzero(test.data.labels == label)
    members = members[np.argsort(test.scores[members], kind="stable")]
    places = np.linspace(0, len(members) - 1, min(count, len(members))).round().astype(np.int64)
    picked: NDArray[np.int64] = members[places]
    return picked
