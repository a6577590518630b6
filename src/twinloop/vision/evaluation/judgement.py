"""One exported detector, judged: calibrated and set to its thresholds on validation images, measured on test images.

The test split has no part in any choice. What is chosen on the validation split (calibration, the two thresholds, the
F1 threshold) is chosen on images that also stopped the training, so only the test figures count.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.contracts.calibration import Calibration, fit_calibration
from twinloop.contracts.part_costs import least_cost_thresholds
from twinloop.contracts.repeatability import repeatability
from twinloop.errors import InputError, RunError
from twinloop.vision.evaluation.constraint import EscapeLimit, limit_escapes
from twinloop.vision.evaluation.settings import EvaluateSettings
from twinloop.vision.evaluation.standing_in import has_defects, threshold_of_good, with_stand_ins
from twinloop.vision.index import ImageSet
from twinloop.vision.inference.predict import DeployedDetector
from twinloop.vision.scores import anomaly_score

BATCH = 32


@dataclass(frozen=True, eq=False)
class Outputs:
    """Raw outputs of one graph on one split: logits [N, K], heat logits [N, h, w], anomaly and unlike scores [N].

    tiles: where pictures were cut, those of every tile; each picture is then what its hottest tile says.
    """

    data: ImageSet
    logits: NDArray[np.float32]
    heat: NDArray[np.float32]
    scores: NDArray[np.float64]
    unlike: NDArray[np.float32]
    tiles: "Outputs | None" = None

    @property
    def pieces(self) -> "Outputs":
        """What pixels are judged on: all tiles, or the pictures themselves."""
        return self.tiles or self

    @property
    def defective(self) -> NDArray[np.bool_]:
        """[N], the truth."""
        return self.data.labels > 0


@dataclass(frozen=True, eq=False)
class Judgement:
    """A detector with what was chosen for it (on validation images) and what was measured of it (on test images).

    fitted: the calibration at the validation split's share of defects; on_line: at the line's.
    curve: measured on the test split, at the chosen thresholds. repeatability_measured: whether ρ is from the data.
    limit: what came of the limit on escapes; None where none is set. names_defects: whether the detector tells
    defects apart. stand_ins: splits (val, test) that show no real defect, but rendered ones. pooled: of too few defects
    for a test set, all images as detectors of the same recipe judged them that had not learnt from their parts; then
    calibration, curve and all that counts parts are of these.
    """

    validation: Outputs
    test: Outputs
    fitted: Calibration
    on_line: Calibration
    curve: OperatingCurve
    repeatability_measured: bool
    settings: EvaluateSettings
    limit: EscapeLimit | None = None
    names_defects: bool = True
    stand_ins: tuple[str, ...] = ()
    pooled: Outputs | None = None

    @property
    def counted(self) -> Outputs:
        """What rates and ranks are measured on: the test split, or all images out of fold."""
        return self.pooled or self.test

    @property
    def today(self) -> OperatingCurve:
        """The same detector at today's single threshold."""
        return self.curve.at(self.settings.today_threshold)


def raw_outputs(detector: DeployedDetector, data: ImageSet) -> Outputs:
    """Run a graph over one split, picture by picture."""
    parts = [detector.raw(data.images[start : start + BATCH]) for start in range(0, len(data), BATCH)]
    logits, heat, unlike = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    outputs = Outputs(data, logits, heat[:, 0], anomaly_score(logits), unlike)
    return stitched(outputs) if data.pictures else outputs


def stitched(tiles: Outputs) -> Outputs:
    """Pictures of their tiles, in the order of the first: as hot as the hottest, defective where any is.

    As unlike as the median of their tiles: what spoils a picture spoils most of it.
    """
    data = tiles.data
    names, number = np.unique(np.array(data.pictures), return_inverse=True)
    order = np.lexsort((-tiles.scores, number))
    hottest = order[np.flatnonzero(np.diff(number[order], prepend=-1))]
    labels = np.zeros(len(names), np.int64)
    np.maximum.at(labels, number, data.labels)
    masked = np.ones(len(names), bool)
    np.logical_and.at(masked, number, data.masked)
    first = np.argsort(np.unique(number, return_index=True)[1], kind="stable")
    hottest = hottest[first]
    pictures = replace(
        data,
        images=data.images[hottest],
        masks=data.masks[hottest],
        masked=masked[first],
        labels=labels[first],
        groups=tuple(data.groups[place] for place in hottest),
        names=tuple(data.names[place] for place in hottest),
        pictures=(),
    )
    unlike = np.array([np.median(tiles.unlike[number == place]) for place in first], np.float32)
    return Outputs(pictures, tiles.logits[hottest], tiles.heat[hottest], tiles.scores[hottest], unlike, tiles)


def judge(
    detector: DeployedDetector,
    validation: ImageSet,
    test: ImageSet,
    *,
    settings: EvaluateSettings,
    seed: int,
    pooled: Outputs | None = None,
) -> Judgement:
    """Calibrate and choose thresholds on `validation`, measure the operating curve on `test`.

    pooled: all images out of fold, where defects are few. They are calibrated and measured on instead, and only the
    share `settings.false_alarm_rate` of their good ones reaches the threshold: so few defects choose none.

    A split without defects is shown rendered ones. Where validation is, the threshold is the one that only the share
    `settings.false_alarm_rate` of its good images reaches, and no part is looked at again.
    Raises InputError for a split without good images and for a limit on escapes without a real defect to choose by,
    and RunError where no thresholds keep that limit and the settings say to stop then.
    """
    splits = {"val": validation, "test": test}
    stand_ins = tuple(name for name, images in splits.items() if not has_defects(images))
    if pooled is None and "val" in stand_ins and settings.max_escapes_ppm is not None:
        raise InputError(
            f"evaluate: EvaluateSettings.max_escapes_ppm={settings.max_escapes_ppm:g}: no real defect in validation "
            "shows what escapes: add images of defects, three parts or more of a kind, or set no limit"
        )
    chosen_on, measured_on = (
        raw_outputs(detector, with_stand_ins(images, seed=2 * seed + place))
        for place, images in enumerate(splits.values())
    )
    calibrated_on = pooled or chosen_on
    fitted = fit_calibration(calibrated_on.scores, calibrated_on.defective, method=settings.calibration)
    on_line = fitted.at_defect_rate(settings.line_defect_rate)
    curves = []
    for place, outputs in enumerate((calibrated_on, pooled or measured_on)):
        measured = repeatability(outputs.scores, outputs.data.labels, outputs.data.groups)
        curve = OperatingCurve.of_probabilities(
            on_line.probability(outputs.scores),
            outputs.data.labels,
            groups=outputs.data.groups,
            classes=outputs.data.classes,
            settings=settings,
            repeatability=settings.repeatability if measured is None else measured,
            seed=2 * seed + place,
            model=detector.backend.about.model,
        )
        curves.append((curve, measured is not None))
    (chooser, _), (curve, is_measured) = curves
    limit = _limited(chooser, settings)
    thresholds = limit.thresholds if limit is not None else None
    if thresholds is None and (pooled is not None or "val" in stand_ins):
        scores = raw_outputs(detector, validation).scores if pooled is None else pooled.scores[~pooled.defective]
        thresholds = (threshold_of_good(on_line.probability(scores), settings),) * 2
    elif thresholds is None:
        thresholds = least_cost_thresholds(chooser, settings.costs, reinspection=settings.reinspection)
    return Judgement(
        chosen_on,
        measured_on,
        fitted,
        on_line,
        curve.at(*thresholds),
        is_measured,
        settings,
        limit,
        detector.backend.about.names_defects,
        stand_ins,
        pooled,
    )


def _limited(curve: OperatingCurve, settings: EvaluateSettings) -> EscapeLimit | None:
    if settings.max_escapes_ppm is None:
        return None
    limit = limit_escapes(
        curve,
        settings.costs,
        limit_ppm=settings.max_escapes_ppm,
        reinspection=settings.reinspection,
        pseudo_count=settings.pseudo_count,
    )
    if limit.thresholds is None and settings.unmet_limit == "stop":
        raise RunError(f"evaluate: {limit.line} (EvaluateSettings.unmet_limit: report goes on without the limit)")
    return limit
