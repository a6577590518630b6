"""Everything measured of a judged detector as flat figures: what MLflow, DVC and the report read."""

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.contracts.calibration import brier, expected_calibration_error
from twinloop.contracts.part_costs import outcome
from twinloop.contracts.repeatability import ALL_CLASSES, gauge
from twinloop.vision.evaluation import explain, measurement
from twinloop.vision.evaluation.constraint import CONFIDENCE, escape_ppm
from twinloop.vision.evaluation.judgement import Judgement, Outputs
from twinloop.vision.evaluation.settings import EvaluateSettings
from twinloop.vision.ranking import auroc, average_precision, best_f1, f1_score
from twinloop.vision.scores import defect_shares, probability, upscale

Figures = dict[str, float | int | str | None]


def figures(judgement: Judgement, *, seed: int) -> Figures:
    """Everything measured, flat, the headline first; rates are after at most two looks.

    None stands for what cannot be measured: without masks, repeats, or a detector that names defects.
    """
    test, settings, curve = judgement.counted, judgement.settings, judgement.curve
    share = float(test.defective.mean())
    calibrated = judgement.fitted.at_defect_rate(share).probability(test.scores)
    rates = _rates(curve, settings)
    drawn = {
        name: measurement.interval(
            statistic, test.scores, test.data.labels, groups=test.data.groups, draws=settings.draws, seed=seed
        )
        for name, statistic in (("auroc", auroc), ("ap", average_precision))
    }
    if judgement.pooled is not None:
        parts = int(curve.counts[1:].sum())
        values = {"auroc": auroc(test.scores, test.defective), "ap": average_precision(test.scores, test.defective)}
        drawn = {name: _wider(ends, measurement.mean_of_few(values[name], parts)) for name, ends in drawn.items()}
    _, f1_threshold = best_f1(judgement.validation.scores, judgement.validation.defective)
    accepted = outcome(curve, settings.costs).accepted
    return {
        "auroc": auroc(test.scores, test.defective),
        "ap": average_precision(test.scores, test.defective),
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
        "f1": f1_score(test.scores, test.defective, threshold=f1_threshold),
        "type_accuracy": _type_accuracy(judgement),
        **{f"recall_{name}": float(1 - accepted[place + 1]) for place, name in enumerate(curve.classes[1:])},
        **_escapes(judgement),
        **_pixel_figures(judgement.test.pieces, settings),
        "ece_uncalibrated": expected_calibration_error(probability(test.scores), test.defective),
        "brier": brier(calibrated, test.defective),
        "repeatability": curve.repeatability,
        "repeatability_source": "measured" if judgement.repeatability_measured else "configured",
        **_gauge(test),
        "line_defect_rate": settings.line_defect_rate,
        "takt_s": None if settings.takt_min is None else 60 * settings.takt_min,
        "test_images": len(test.scores),
        "test_parts": int(curve.counts.sum()),
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


def _type_accuracy(judgement: Judgement) -> float | None:
    if not judgement.names_defects:
        return None
    counted = judgement.counted
    kinds = 1 + defect_shares(counted.logits[counted.defective]).argmax(axis=1)
    return float(np.mean(kinds == counted.data.labels[counted.defective]))


def _wider(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return min(one[0], other[0]), max(one[1], other[1])


def _escapes(judgement: Judgement) -> Figures:
    """Escapes among shipped parts as the test split shows them, and what came of the limit that was set."""
    drawn, limit = escape_ppm(judgement.curve), judgement.limit
    upper = float(np.quantile(drawn[1:], CONFIDENCE))
    return {
        "escape_ppm": float(drawn[0]),
        "escape_ppm_upper": upper,
        "escape_limit": "none" if limit is None else limit.status,
        "escape_limit_ppm": None if limit is None else limit.limit_ppm,
        "escape_limit_upper_ppm": None if limit is None else limit.upper_ppm,
        "escape_limit_good_needed": None if limit is None else limit.good_needed,
        "escape_limit_defective_needed": None if limit is None else limit.defective_needed,
        "escape_limit_confirmed": None if limit is None else upper <= limit.limit_ppm,
        "escape_limit_result": None if limit is None else limit.line,
    }


def _gauge(test: Outputs) -> Figures:
    studies = gauge(test.scores, test.data.labels, test.data.groups, classes=test.data.classes)
    overall = next((study for study in studies if study.name == ALL_CLASSES), None)
    return {
        "grr": None if overall is None else overall.grr,
        "grr_low": None if overall is None else overall.grr_low,
        "grr_high": None if overall is None else overall.grr_high,
        "distinct_categories": None if overall is None else overall.categories,
    }


def _pixel_figures(test: Outputs, settings: EvaluateSettings) -> Figures:
    masks = test.data.masks[test.data.masked]
    heat = upscale(test.heat[test.data.masked], masks.shape[1:])
    maps = probability(heat)
    threshold = settings.heat_threshold
    measured: Figures = {
        "pixel_auroc": measurement.pixel_auroc(heat, masks),
        "aupro": measurement.aupro(heat, masks),
        **_aupro_by_class(heat, masks, test),
        "iou": measurement.pixel_iou(maps, masks, threshold=threshold),
    }
    if masks.any():
        for name, candidate in (("", maps), ("_centre_blob", explain.centre_blob(masks.shape))):
            lying = explain.localisation(candidate, masks, threshold=threshold)
            measured[f"pointing{name}"] = lying.pointing
            measured[f"heat_energy{name}"] = lying.energy
            measured[f"heat_iou{name}"] = lying.iou
    return measured


def _aupro_by_class(heat: NDArray[np.float32], masks: NDArray[np.uint8], test: Outputs) -> Figures:
    """Each defect class beside the good parts."""
    labels = test.data.labels[test.data.masked]
    return {
        f"aupro_{name}": measurement.aupro(heat[chosen], masks[chosen])
        for label, name in enumerate(test.data.classes)
        if label > 0
        for chosen in [np.isin(labels, (0, label))]
    }
