"""The predictor on trial: what every method says of the test, as tables with intervals over assets, and key figures."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import AlertCurve
from twinloop.numbers import Interval
from twinloop.prognostics.evaluation import leaky
from twinloop.prognostics.evaluation.comparison import (
    AGE,
    ENSEMBLE,
    JUDGED,
    SENSOR,
    Said,
    judged,
    judged_frame,
    overall_frame,
    said,
)
from twinloop.prognostics.evaluation.failures import FOUND, failures_found
from twinloop.prognostics.evaluation.foretelling import precision_recall, reliability
from twinloop.prognostics.evaluation.leaky import HONEST, LEAKY, Beside, leaky_beside_honest
from twinloop.prognostics.evaluation.resampling import drawn_counts, spread
from twinloop.prognostics.evaluation.settings import EvaluateSettings
from twinloop.prognostics.evaluation.unseen import LEARNT, UNSEEN, unseen_modes
from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.table import FeatureTable
from twinloop.prognostics.prepared import TEST, TRAIN, Prepared
from twinloop.progress import bar

Rows = NDArray[np.int64]
ENDS = ("mean", "low", "high")
BESIDE: dict[str, Any] = {"component": pl.String, "method": pl.String, **dict.fromkeys(ENDS, pl.Float64)}
RANKED: dict[str, Any] = {"component": pl.String} | dict.fromkeys(
    ("recall", "precision", "low", "high", "rate"), pl.Float64
)
CALIBRATION: dict[str, Any] = {
    "component": pl.String,
    "said": pl.Float64,
    "happened": pl.Float64,
    "rows": pl.Int64,
    "low": pl.Float64,
    "high": pl.Float64,
}


class Trial(NamedTuple):
    """A dataset and the predictor that is judged on it; rows of the table that were learnt from, and those of test."""

    prepared: Prepared
    model: HazardModel
    table: FeatureTable
    lives: pl.DataFrame
    train: Rows
    test: Rows

    @classmethod
    def of(cls, prepared: Prepared, model: HazardModel) -> "Trial":
        """Of everything that was prepared."""
        return cls(prepared, model, prepared.table(), prepared.lives(), prepared.rows(TRAIN), prepared.rows(TEST))

    @property
    def horizon_h(self) -> float:
        """Hours ahead of a row within which a failure counts."""
        return self.model.settings.days * self.model.settings.period_h


def answers(trial: Trial) -> dict[str, Said]:
    """What every method says, by component."""
    return {
        name: said(trial.model, trial.table, trial.lives, name, trial.train, trial.test)
        for name in trial.model.components
    }


def judgements(trial: Trial, said_of: Mapping[str, Said], settings: EvaluateSettings, *, seed: int) -> dict[str, Any]:
    """Tables by name: judged, overall, beside, calibration, precision_recall, modes."""
    how = {"draws": settings.draws, "seed": seed}
    by_component, beside = {}, {}
    with bar("component", len(said_of)) as shown:
        for name, one in said_of.items():
            by_component[name] = judged(trial.table, one, **how)
            both = leaky_beside_honest(
                trial.table, trial.lives, name, trial.train, trial.test, trial.model.settings, **how
            )
            if both is not None:
                beside[name] = both
            shown.step(note=name)
    modes = unseen_modes(
        trial.model,
        trial.table,
        trial.lives,
        trial.prepared.events(),
        trial.train,
        trial.test,
        false_alarms=settings.false_alarms / len(said_of),
        **how,
    )
    return {
        "judged": pl.concat([pl.DataFrame(schema=JUDGED), *(judged_frame(*item) for item in by_component.items())]),
        "overall": overall_frame([one for one in by_component.values() if one]),
        "beside": pl.DataFrame(list(_sides(beside)), schema=BESIDE, orient="row"),
        "calibration": _calibration(trial, said_of, **how),
        "precision_recall": _precision_recall(trial, said_of, **how),
        "modes": modes,
    }


def failures(trial: Trial, said_of: Mapping[str, Said], thresholds: Mapping[str, float]) -> pl.DataFrame:
    """Every failure of the test, and whether it was found at its component's threshold (FOUND)."""
    found = [
        failures_found(
            trial.table,
            trial.lives,
            name,
            one.probability[ENSEMBLE],
            trial.test,
            threshold=thresholds[name],
            window_hours=trial.horizon_h,
        )
        for name, one in said_of.items()
    ]
    return pl.concat([pl.DataFrame(schema=FOUND), *found])


def key_figures(
    tables: Mapping[str, pl.DataFrame],
    found: pl.DataFrame,
    curves: Mapping[str, AlertCurve],
    *,
    thresholds: Mapping[str, float],
    draws: int,
    seed: int,
) -> dict[str, Any]:
    """Means over components with their ends; recall, lead time and false alarms at the components' thresholds."""
    measured: dict[str, Any] = {}
    for name, method, metric in (
        ("pr_auc", ENSEMBLE, "pr_auc"),
        ("pr_auc_age", AGE, "pr_auc"),
        ("pr_auc_sensor", SENSOR, "pr_auc"),
        ("brier", ENSEMBLE, "brier"),
        ("ece", ENSEMBLE, "ece"),
    ):
        rows = tables["overall"].filter((pl.col("method") == method) & (pl.col("metric") == metric))
        measured |= _ends(name, rows)
    for side in (LEAKY, HONEST, "promise"):
        rows = tables["beside"].filter(pl.col("component").is_null() & (pl.col("method") == side))
        measured |= _ends(f"pr_auc_{side}", rows)
    lead = found.filter("found")["lead_hours"].median()
    quiet = [curve.at(thresholds[name]).false_alarms_at() for name, curve in curves.items()]
    recall = _recall(found, draws=draws, seed=seed)
    measured |= {
        **dict(zip(("recall", "recall_low", "recall_high"), recall or (None,) * 3, strict=True)),
        "lead_hours": float(lead) if lead is not None else None,  # type: ignore[arg-type]
        "false_alarms": float(sum(quiet)),
        "test_failures": len(found),
    }
    together = tables["modes"].filter(pl.col("component").is_null())
    for training in (LEARNT, UNSEEN):
        row = together.filter(pl.col("training") == training)
        for figure in ("recall", "lead_hours", "false_alarms"):
            measured |= {
                f"modes_{training}_{figure}{end}": row[0, f"{figure}{end}"] if len(row) else None
                for end in ("", "_low", "_high")
            }
    own = tables["judged"].filter((pl.col("method") == ENSEMBLE) & (pl.col("metric") == "pr_auc"))
    return measured | {f"pr_auc_{name}": mean for name, mean in own.select("component", "mean").iter_rows()}


def _ends(name: str, rows: pl.DataFrame) -> dict[str, float | None]:
    return {
        f"{name}{end}": rows[0, column] if len(rows) else None
        for end, column in zip(("", "_low", "_high"), ENDS, strict=True)
    }


def _recall(found: pl.DataFrame, *, draws: int, seed: int) -> tuple[float, float, float] | None:
    """Share found, with its interval over assets; None without a failure."""
    if found.is_empty():
        return None
    own = found.group_by("asset", maintain_order=True).agg(pl.col("found").sum(), pl.len())
    hits, failed = own["found"].to_numpy().astype(np.int64), own["len"].to_numpy().astype(np.int64)
    counts = drawn_counts(len(own), draws=draws, seed=seed)
    share = spread(float(hits.sum() / failed.sum()), (counts @ hits) / (counts @ failed))
    return share.mean, share.low, share.high


def _sides(beside: Mapping[str, Beside]) -> Iterator[tuple[str | None, str, float, float, float]]:
    """Rows of BESIDE, those of all components without a name and with what the leaky split promises more."""
    together = {None: leaky.over_components(list(beside.values()))} if beside else {}
    for name, both in [*beside.items(), *together.items()]:
        told: dict[str, Interval] = {LEAKY: both.leaky.area, HONEST: both.honest.area, "promise": both.promise}
        for method, area in told.items():
            yield name, method, area.mean, area.low, area.high


def _precision_recall(trial: Trial, said_of: Mapping[str, Said], *, draws: int, seed: int) -> pl.DataFrame:
    """Of the ensemble, by component; rate: precision of chance."""
    parts = [pl.DataFrame(schema=RANKED)]
    for name, one in said_of.items():
        if one.known.happened.any():
            curve = precision_recall(one.known, _everywhere(trial, one), trial.table.unit, draws=draws, seed=seed)
            rate = float(one.known.happened.mean())
            parts.append(curve.select(pl.lit(name).alias("component"), pl.all(), pl.lit(rate).alias("rate")))
    return pl.concat(parts)


def _calibration(trial: Trial, said_of: Mapping[str, Said], *, draws: int, seed: int) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=CALIBRATION)]
    for name, one in said_of.items():
        if len(one.known.row):
            bins = reliability(one.known, _everywhere(trial, one), trial.table.unit, draws=draws, seed=seed)
            parts.append(bins.select(pl.lit(name).alias("component"), *list(CALIBRATION)[1:]))
    return pl.concat(parts)


def _everywhere(trial: Trial, one: Said) -> NDArray[np.float64]:
    """What the ensemble says of the test, at the places of the table's rows."""
    values = np.zeros(len(trial.table))
    values[one.rows] = one.probability[ENSEMBLE]
    return values
