"""Alert curves of the predictor by hours of work: at common thresholds for readers, at first alerts for policies."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from twinloop.contracts import AlertCurve
from twinloop.contracts.alert_curve import HOURS_PER_MONTH
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.evaluation.comparison import ENSEMBLE, Said
from twinloop.prognostics.evaluation.failures import watched
from twinloop.prognostics.evaluation.leads import lead_curve
from twinloop.prognostics.evaluation.settings import EvaluateSettings
from twinloop.prognostics.models.table import FeatureTable
from twinloop.twins.fleet.judged import Trial


class Watching:
    """Lives as the predictor saw them, in hours of work: that is what components wear by."""

    def __init__(
        self,
        trial: Trial,
        settings: EvaluateSettings,
        *,
        digest: str,
        seed: int,
    ) -> None:
        self.settings, self.digest, self.seed = settings, digest, seed
        self.prepared, self.model, self.table, self.lives = trial[:4]
        table, prepared = self.table, self.prepared
        self.worked = table.worked_min(prepared.about["step_min"]) if prepared.clock == "calendar" else None
        self.share = 1.0 if self.worked is None else _work_share(table, self.worked)

    def alerts(self, answers: Mapping[str, Said]) -> dict[str, AlertCurve]:
        """Recall, lead time and false alarms of every component that failed in the test, at common thresholds."""
        scores = np.concatenate([one.probability[ENSEMBLE] for one in answers.values()])
        # Alarms are rare, so most thresholds belong where scores are high.
        thresholds = np.unique(np.quantile(scores, 1 - np.geomspace(1.0, 1e-4, self.settings.thresholds)))
        curves = {}
        for name, one in answers.items():
            seen = watched(self.table, self.lives, name, one.probability[ENSEMBLE], one.rows, worked=self.worked)
            if any(life.failed for life in seen):
                curves[name] = AlertCurve.of_lives(
                    seen,
                    thresholds=thresholds,
                    window_hours=self.model.settings.days * self.model.settings.period_h * self.share,
                    **self._common,
                )
        return curves

    def leads(self) -> dict[str, AlertCurve]:
        """What is left of a life at its first alert, which policies need: from test assets, all of their time."""
        assets = [self.table.assets.index(name) for name in self.prepared.about["test_assets"]]
        rows = np.flatnonzero(np.isin(self.table.unit, assets))
        curves = {}
        for name in self.model.components:
            score = self.model.probability(self.table, self.lives, name, rows)
            seen = watched(self.table, self.lives, name, score, rows, worked=self.worked)
            if any(life.failed for life in seen):
                curves[name] = lead_curve(seen, **self._common)
        return curves

    @property
    def _common(self) -> dict[str, Any]:
        return {
            "model": self.digest,
            "draws": self.settings.draws,
            "seed": self.seed,
            "hours_per_month": HOURS_PER_MONTH * self.share,
            "clock": "work",
        }


def _work_share(table: FeatureTable, worked: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Hours of work per hour of the calendar, over all assets."""
    last = table.last
    first = np.append(0, last[:-1] + 1)
    spans = table.time_min[last] - table.time_min[first]
    return float((worked[last] - worked[first]).sum() / max(spans.sum(), MINUTES_PER_HOUR))
