"""A line's answer in one sentence, true for every outcome: a gain, a loss, or nothing that can be told."""

from dataclasses import asdict
from typing import Any

from twinloop.numbers import THIN, Interval, fixed, number, percent, probability, quantity
from twinloop.simulation.experiments.design import PROFIT
from twinloop.simulation.experiments.levers import OperatingPoint
from twinloop.simulation.experiments.sensitivity import Gain, Sensitivity

THRESHOLD = "threshold"


def sentence(sensitivity: Sensitivity, *, today: OperatingPoint, chosen: OperatingPoint) -> str:
    """What the chosen threshold earns against today's, and where the next euro is.

    Before it stands which of the lines never settle: what they earn holds for the simulated days only.
    """
    gain = _threshold_gain(sensitivity)
    before, point = _growing_part(sensitivity), _threshold_part(gain, today, chosen, sensitivity.today.confidence)
    return f"{before}{point}; {_next_part(sensitivity)}."


def answer_record(sensitivity: Sensitivity, *, today: OperatingPoint, chosen: OperatingPoint) -> dict[str, Any]:
    """The sentence with the numbers behind it, as answer.json holds them; intervals as mean, low, high."""
    gain, best = _threshold_gain(sensitivity), next_lever(sensitivity)
    return {
        "sentence": sentence(sensitivity, today=today, chosen=chosen),
        "today": asdict(today),
        "chosen": asdict(chosen),
        "confidence": sensitivity.today.confidence,
        "profit_per_day_today": asdict(sensitivity.today[PROFIT]),
        "profit_per_day_chosen": asdict(gain.result[PROFIT]) if gain else None,
        "gain_per_day": asdict(gain.net) if gain else None,
        "relative_gain": asdict(gain.relative) if gain and gain.relative else None,
        "next_lever": best.lever.name if best else None,
        "next_gain_per_day": asdict(best.net) if best else None,
        "together_gain_per_day": asdict(sensitivity.together.net) if sensitivity.together else None,
    }


def next_lever(sensitivity: Sensitivity) -> Gain | None:
    """The best lever apart from the threshold that can be pulled and surely pays for itself."""
    real = (gain for gain in sensitivity.gains if gain.lever.lever != THRESHOLD and not gain.lever.hypothetical)
    return next((gain for gain in real if gain.pays), None)


def _growing_part(sensitivity: Sensitivity) -> str:
    growing = [result for result in sensitivity.results if not result.settles]
    if not growing:
        return ""
    if sensitivity.today in growing and sensitivity.today.growth:
        early, late = sensitivity.today.growth.early, sensitivity.today.growth.late
        others = f", nor do {len(growing) - 1} of {len(sensitivity.results) - 1} scenarios" if growing[1:] else ""
        who = f"Today's line never settles (from {number(early)} to {number(late)} parts on it){others}"
    else:
        who = f"Never settles: {', '.join(result.name for result in growing)}"
    return f"{who}, so what is earned holds for the {sensitivity.today.days:g} simulated days only. "


def _threshold_gain(sensitivity: Sensitivity) -> Gain | None:
    return next((gain for gain in sensitivity.gains if gain.lever.lever == THRESHOLD), None)


def _threshold_part(gain: Gain | None, today: OperatingPoint, chosen: OperatingPoint, confidence: float) -> str:
    if gain is None:
        return f"The threshold of {probability(today.accept_below)} was not varied"
    if today == chosen:
        return f"Today's threshold of {probability(today.accept_below)} is already the one of least expected cost"
    move = _move(today, chosen)
    amount, limits = _amount(gain)
    interval = f"{100 * confidence:g} % interval {limits}"
    if gain.net.low > 0:
        return f"{move} earns {amount} more per day ({interval})"
    if gain.net.low == gain.net.high == 0:
        return f"{move} changes nothing on the simulated line"
    if gain.net.high < 0:
        return f"{move} would earn {amount} less per day ({interval}), so keep today's threshold"
    more = "more" if gain.net.mean >= 0 else "less"
    return f"{move} may earn {amount} {more} per day, but that is not sure ({interval})"


def _move(today: OperatingPoint, chosen: OperatingPoint) -> str:
    if chosen.has_band:
        before = probability(today.reject_from)
        return (
            f"Looking again at parts between {probability(chosen.accept_below)} and {probability(chosen.reject_from)} "
            f"instead of rejecting from {before}"
        )
    verb = "Raising" if chosen.accept_below > today.accept_below else "Lowering"
    return f"{verb} the threshold from {probability(today.accept_below)} to {probability(chosen.accept_below)}"


def _amount(gain: Gain) -> tuple[str, str]:
    if gain.relative is None:  # a share of what may be a loss says nothing
        return quantity(abs(gain.net.mean), "€"), _limits(gain.net, scale=1.0, digits=0, unit="€")
    return percent(abs(gain.relative.mean)), _limits(gain.relative, scale=100.0, digits=1, unit="%")


def _limits(ends: Interval, *, scale: float, digits: int, unit: str) -> str:
    return f"{fixed(scale * ends.low, digits)} … {fixed(scale * ends.high, digits)}{THIN}{unit}"


def _next_part(sensitivity: Sensitivity) -> str:
    best = next_lever(sensitivity)
    if best is None:
        return "no other lever surely pays for itself"
    return f"the next euro is in {best.lever.name}"
