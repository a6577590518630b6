"""What each feature is: name, formula, unit and why it is there, as a page prints it.

A column is `sensor.feature`, with the span behind it where there are several (`oil_temperature.level_24`), or the name
alone where the feature is of the asset.
"""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from twinloop.prognostics.features.settings import FeatureSettings


class Feature(NamedTuple):
    """unit: of the sensor for "x". scope: sensor, span (of a sensor, one per span), drift (one per
    distance) or asset."""

    name: str
    formula: str
    unit: str
    reason: str
    scope: str


WITHIN = (
    Feature("mean", "mean of x", "x", "the level of the window", "sensor"),
    Feature("last", "last x", "x", "the state at the window's end", "sensor"),
    Feature("low", "min x", "x", "dips that a mean hides", "sensor"),
    Feature("high", "max x", "x", "peaks that a mean hides", "sensor"),
    Feature("spread", "√(mean of (x − mean)²)", "x", "unrest; of vibration, its strength", "sensor"),
    Feature("slope", "least squares of x on time", "x/h", "where it is going within the window", "sensor"),
    Feature("step", "max |xᵢ − xᵢ₋₁|", "x", "jolts and loose contacts", "sensor"),
    Feature(
        "fast_energy",
        "Σ(xᵢ − xᵢ₋₁)² / (4 Σ(x − mean)²)",
        "1",
        "share of spectral energy at high frequency (von Neumann, 1941): 0 slow, ½ white noise, 1 alternating",
        "sensor",
    ),
    Feature("crest", "max |x − mean| / spread", "1", "impacts, as of a bearing's first cracks", "sensor"),
    Feature("above", "share of x > upper limit", "1", "exceedances of what the reference knows", "sensor"),
    Feature("below", "share of x < lower limit", "1", "the same downwards", "sensor"),
    Feature("missing", "share of rows without x", "1", "a sensor that fails tells something too", "sensor"),
)
MEMORY = (
    Feature(
        "relative",
        "(mean − expected) / spread expected in this regime at this load",
        "1",
        "not load, but wear",
        "sensor",
    ),
    Feature("level", "exponential mean of relative", "1", "the level without its noise", "span"),
    Feature("trend", "Brown's slope of relative per window", "1", "how fast it changes (Brown, 1963)", "span"),
    Feature("unrest", "exponential standard deviation of relative", "1", "instability over days", "span"),
    Feature(
        "change",
        "level at the middle span − its mean in early life",
        "1",
        "an asset against itself when it was new",
        "sensor",
    ),
    Feature("life_mean", "mean of relative over the life so far", "1", "how hard the life was", "sensor"),
    Feature("excess", "Σ max(|relative| − 2, 0) since the last service", "1", "stress that adds up", "sensor"),
)
DRIFT = (
    Feature(
        "drift",
        "root mean square of all sensors' change",
        "1",
        "how far an asset has moved from its early life",
        "asset",
    ),
    Feature("joint_drift", "the same within the joint signals", "1", "its part that sensors share", "asset"),
    Feature("drifted", "windows since drift last was below a distance", "1", "time since wear set in", "drift"),
    Feature("joint_drifted", "windows since joint_drift last was below it", "1", "the same of what is shared", "drift"),
)
ASSET = (
    Feature("age_h", "time since the asset's first row", "h", "wear-out", "asset"),
    Feature("since_service_h", "time since its last maintenance", "h", "what the service renewed", "asset"),
    Feature("since_failure_h", "time since its last failure", "h", "early failures after a repair", "asset"),
    Feature("services", "number of its maintenances so far", "1", "history", "asset"),
    Feature("failures", "number of its failures so far", "1", "lemons", "asset"),
    Feature("errors", "number of errors in the last recent_h hours", "1", "controllers notice first", "asset"),
    Feature("regime", "number of the operating regime", "1", "what relative refers to", "asset"),
    Feature("rows", "number of rows in the window", "1", "how much it worked, and how sure the rest is", "asset"),
)


def chosen(settings: FeatureSettings) -> tuple[Feature, ...]:
    """The features that these settings make."""
    return (*(WITHIN if settings.within else ()), *MEMORY, *DRIFT, *ASSET)


def joint_names(settings: FeatureSettings) -> tuple[str, ...]:
    """The joint signals, which have memory as a sensor has.

    >>> joint_names(FeatureSettings(joint=2))
    ('joint_1', 'joint_2')
    """
    return tuple(f"joint_{number}" for number in range(1, settings.joint + 1))


def columns(settings: FeatureSettings, sensors: Mapping[str, str]) -> dict[str, str]:
    """Every column in order, with its unit. sensors: name → unit."""
    named: dict[str, str] = {}
    for feature in chosen(settings):
        if feature.scope == "asset":
            named[feature.name] = feature.unit
            continue
        if feature.scope == "drift":
            named |= {f"{feature.name}_{distance:g}": feature.unit for distance in settings.drifts}
            continue
        signals = sensors if feature in WITHIN else {**sensors, **dict.fromkeys(joint_names(settings), "1")}
        for sensor, unit in signals.items():
            own = feature.unit.replace("x", unit or "1")
            if feature.scope == "span":
                named |= {f"{sensor}.{feature.name}_{span}": own for span in settings.spans}
            else:
                named[f"{sensor}.{feature.name}"] = own
    return named


def catalogue(settings: FeatureSettings) -> pl.DataFrame:
    """One row per feature: name, formula, unit, reason, scope."""
    return pl.DataFrame(chosen(settings), schema=list(Feature._fields), orient="row")
