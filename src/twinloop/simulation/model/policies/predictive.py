"""Predictive maintenance: when a failure predictor alerts, rightly or not."""

import numpy as np

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.simulation.model.policies.policy import NEVER, Policy, PolicySettings
from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.wear_path import WearPath


class Predictive(Policy):
    """At the first alert of its `predictor`."""

    takes = ("predictor",)
    advice = "; make the predictor from a RiskTable and an AlertCurve"

    def due_age(self, settings: PolicySettings, path: WearPath, rng: np.random.Generator, *, draw: int = 0) -> float:
        return NEVER if settings.predictor is None else alert_age(settings.predictor, path.life_min, rng, draw=draw)


def alert_age(predictor: Predictor, life_min: float, rng: np.random.Generator, *, draw: int = 0) -> float:
    """The age of the first alert in a life: before its failure, if that is not missed, or a false one."""
    hit, quantile, wait = rng.random(), rng.random(), rng.exponential()
    rate = predictor.false_alarms_per_hour[draw] / MINUTES_PER_HOUR
    false_alarm = wait / rate if rate > 0 else NEVER
    return min(false_alarm, predictor.right_alert(life_min, hit, quantile, draw=draw))
