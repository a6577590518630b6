"""What a model's errors cost on a line: thresholds from one half of its parts, everything else from the other.

The engines are those of the factory twin: calibration, operating curve with its draws, thresholds of least expected
cost, and a simulation in which scenarios share their random numbers.
"""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.contracts.calibration import Calibration, fit_calibration
from twinloop.contracts.curve_settings import CurveSettings, PartCosts
from twinloop.contracts.error_rates import LARGEST_ODDS
from twinloop.contracts.part_costs import both_below, least_cost_thresholds
from twinloop.errors import InputError
from twinloop.numbers import number, percent
from twinloop.simulation.experiments.answer import answer_record
from twinloop.simulation.experiments.design import How
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.levers import Choices, Model, OperatingPoint
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.sensitivity import Sensitivity, analyse
from twinloop.simulation.experiments.settings import Add, ExperimentSettings, Lever, Scale
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line
from twinloop.simulation.pricing.scores import Scores
from twinloop.vision.ranking import auroc, best_f1

# Fewer parts of a kind cannot both choose and measure.
LEAST_PARTS = 2
# Deviations below that of chance from which scores fall with defects for sure.
SURELY = 2.0
THRESHOLD = Lever(name="the chosen threshold", lever="threshold", change={"threshold": "chosen"})
BETTER = Lever(
    name="a model with half the errors", lever="model", change={"errors": Scale(scale=0.5)}, hypothetical=True
)
REPAIR = Lever(
    name="station {number}'s repair time",
    lever="maintenance",
    change={"stations.{station}.repair.mean": Scale(scale=0.8)},
)
BUFFER = Lever(name="buffer {number}", lever="buffer", change={"buffer_{buffer}": Add(add=4)})


class Halves(NamedTuple):
    """Rows [N] that choose and rows that measure; the same ones where there are too few parts."""

    choosing: NDArray[np.bool_]
    measuring: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Priced:
    """A model on a line: what it earns at today's threshold and at the chosen one, and what would earn more.

    curve: measured on parts that chose nothing, at the chosen point. today, chosen: defect probabilities on the line.
    sensitivity: the simulated scenarios. answer: the sentence with its numbers. notes: what was assumed.
    """

    scores: Scores
    calibration: Calibration
    curve: OperatingCurve
    costs: PartCosts
    today: OperatingPoint
    chosen: OperatingPoint
    sensitivity: Sensitivity
    answer: dict[str, Any]
    notes: tuple[str, ...]

    def as_given(self, probability: float) -> float:
        """A defect probability on the line as the score or probability of the table."""
        return self.scores.as_given(self.calibration.score(probability))

    def record(self) -> dict[str, Any]:
        """Everything as JSON-like data: the answer, thresholds as probabilities and as the table's scores, levers."""
        points = {
            name: {end: self.as_given(value) for end, value in asdict(point).items()}
            for name, point in (("today", self.today), ("chosen", self.chosen))
        }
        curve = self.curve
        return {
            "answer": self.answer,
            "as_scored": points,
            "levers": self.sensitivity.frame().to_dicts(),
            "thresholds": self.sensitivity.threshold_frame().to_dicts(),
            "classes": list(curve.classes),
            "parts": curve.counts.tolist(),
            "prevalence": curve.prevalence.tolist(),
            "repeatability": curve.repeatability,
            "escape_rate": curve.escape_rate(),
            "false_reject_rate": curve.false_reject_rate(),
            "costs": asdict(self.costs),
            "calibration": self.calibration.record(),
            "latency_ms": self.scores.latency_ms,
            "notes": list(self.notes),
        }


def price(
    scores: Scores,
    line: Line,
    economy: Economy,
    *,
    today: float | None = None,
    defect_rate: float | None = None,
    experiment: ExperimentSettings | None = None,
    seed: int = 1,
    workers: int = 1,
) -> Priced:
    """Measure the model, choose its thresholds, and simulate the line with its errors.

    today: the score or probability of the table from which parts are rejected now; unless given, probability 0.5 or the
    score of the best F1. defect_rate: share of defective parts on the line; unless given, what the line assumes.
    Raises InputError for a line without inspection and for scores that fall with defects.
    """
    notes = list(scores.notes)
    if line.inspecting is None:
        raise InputError("price: line: no station inspects: give one of them inspects: true")
    _check_order(scores)
    if defect_rate is None:
        defect_rate = line.inspection.assumed.defect_rate
        notes.append(f"{percent(defect_rate)} of the line's parts are defective, as the line assumes")
    if not 0 < defect_rate < 1:
        raise InputError(f"price: a defect rate of {defect_rate:g}: expected a share between 0 and 1")
    if experiment is None:
        experiment = ExperimentSettings(levers=usual_levers(line))
        notes.append("levers cost nothing themselves: an experiment's file can say what they do cost")
    choosing, measuring = halves(scores, seed=seed)
    if choosing is measuring:
        notes.append("too few parts to choose on some and measure on others: all do both, gains look too good")
    fitted = fit_calibration(scores.values[choosing], scores.defective[choosing], method="platt")
    on_line = fitted.at_defect_rate(defect_rate)
    if today is None:
        today = _assumed_today(scores, choosing)
        notes.append(f"today's threshold was taken to be {number(today)}")
    elif not np.isfinite(today) or (scores.are_probabilities and not 0 <= today <= 1):
        expected = "a probability, 0 to 1, as the table has" if scores.are_probabilities else "a finite score"
        raise InputError(f"price: a threshold of {today:g} today: expected {expected}")
    now = _probability(on_line, scores.as_value(today))
    how = CurveSettings(
        line_defect_rate=defect_rate, today_threshold=now, repeatability=line.inspection.assumed.repeatability
    )
    chooser, curve = (
        OperatingCurve.of(
            scores.values[rows],
            scores.labels[rows],
            scores.groups[rows],
            settings=how,
            calibration=on_line,
            seed=2 * seed + place,
        )
        for place, rows in enumerate((choosing, measuring))
    )
    costs = part_costs(line, economy, curve)
    again = line.inspection.max_looks > 1 and line.inspection.undecided == "reject"
    today_point = OperatingPoint(now, now)
    chosen = OperatingPoint(*least_cost_thresholds(chooser, costs, reinspection=again))
    model = Model(curve, scores.latency_ms or 0.0)
    scenario = Scenario("today", line, curve, model.latency_ms)
    found = analyse(
        scenario,
        experiment,
        Choices({"this": model}, chosen),
        run=_runner(experiment, economy, seed=seed, workers=workers),
        today_point=today_point,
    )
    return Priced(
        scores=scores,
        calibration=on_line,
        curve=curve.at(chosen.accept_below, chosen.reject_from),
        costs=costs,
        today=today_point,
        chosen=chosen,
        sensitivity=found,
        answer=answer_record(found, today=today_point, chosen=chosen),
        notes=tuple(notes),
    )


def halves(scores: Scores, *, seed: int) -> Halves:
    """As the table's split says; else half of the good parts and half of the defective ones, drawn by `seed`."""
    if scores.choosing is not None:
        split = Halves(scores.choosing, ~scores.choosing)
        for rows, name in zip(split, ("val", "test"), strict=True):
            if not (scores.defective[rows].any() and (~scores.defective[rows]).any()):
                raise InputError(f"price: split {name}: expected good and defective parts in it: move some there")
        return split
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    _, part = np.unique(scores.groups, return_inverse=True)
    ever_defective = np.bincount(part, scores.defective) > 0
    chosen = np.zeros(len(ever_defective), dtype=bool)
    for kind in (False, True):
        members = np.flatnonzero(ever_defective == kind)
        if len(members) < LEAST_PARTS:
            everyone = np.ones(len(part), dtype=bool)
            return Halves(everyone, everyone)
        chosen[rng.permutation(members)[: len(members) // 2]] = True
    return Halves(chosen[part], ~chosen[part])


def part_costs(line: Line, economy: Economy, curve: OperatingCurve) -> PartCosts:
    """What a wrong decision costs beyond a right one on this line, in euro per part.

    A rejected part without rework has its revenue lost and is scrapped; with rework it is looked at again, and a good
    one may be rejected again: how often is today's on the curve. A right reject of a defective part costs as well.
    """
    lost = economy.revenue + economy.scrap
    if line.rework is None:
        false_reject, right_reject = lost, lost
    else:
        passed = float(curve.accepted()[0])
        twice = 1 - 2 * passed + float(both_below(np.array(passed), np.array(passed), curve.repeatability))
        rejected_again = np.clip(twice / max(1 - passed, 1e-12), 0, 1)
        false_reject = economy.rework + float(rejected_again) * lost
        right_reject = economy.rework + (1 - line.rework.success) * lost
    return PartCosts(
        escape=max(economy.escape - right_reject, 0.0), false_reject=false_reject, reinspect=economy.reinspection
    )


def usual_levers(line: Line) -> tuple[Lever, ...]:
    """The threshold, a better model, and what else this line has: repairs and buffers. They cost nothing themselves."""
    repaired = any(station.repair and station.repair.mean is not None for station in line.stations)
    return (THRESHOLD, BETTER, *([REPAIR] * repaired), *([BUFFER] * bool(line.buffers)))


def _runner(settings: ExperimentSettings, economy: Economy, *, seed: int, workers: int) -> Any:
    how: How = {
        "days": settings.days,
        "warmup_days": settings.warmup_days,
        "replications": settings.replications,
        "seed": seed,
        "economy": economy,
        "confidence": settings.confidence,
        "precision": settings.precision,
        "max_replications": settings.max_replications,
        "engine": settings.engine,
        "workers": workers,
    }

    def simulated(scenarios: tuple[Scenario, ...]) -> dict[str, Result]:
        return run_scenarios(scenarios, **how)

    return simulated


def _check_order(scores: Scores) -> None:
    """Refuse scores that fall with defects: the deviation of chance is Mann and Whitney's."""
    defective = int(scores.defective.sum())
    good = len(scores.values) - defective
    area = auroc(scores.values, scores.defective)
    deviation = np.sqrt((good + defective + 1) / (12 * good * defective))
    if area < 0.5 - SURELY * deviation:
        raise InputError(
            f"price: scores fall with defects (AUROC {number(area)}): expected higher ones for defective parts: turn "
            "the sign, take 1 − probability, or say --good if the classes are the other way round"
        )


def _assumed_today(scores: Scores, choosing: NDArray[np.bool_]) -> float:
    if scores.are_probabilities:
        return 0.5
    _, threshold = best_f1(scores.values[choosing], scores.defective[choosing])
    return threshold


def _probability(calibration: Calibration, value: float) -> float:
    """Within what the curve tells apart."""
    least = 1 / (1 + np.exp(LARGEST_ODDS))
    return float(np.clip(calibration.probability(np.array([value]))[0], least, 1 - least))
