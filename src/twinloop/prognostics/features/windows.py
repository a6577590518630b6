"""Rows of telemetry to windows: what happened inside each, in one pass of polars over ordered rows.

Rows come ordered, so every window is a slice, and its sums are made of its own rows in their order: the same bits
whatever other windows are in the table.
"""

from collections.abc import Sequence

import polars as pl

from twinloop.prognostics.features.reference import Reference
from twinloop.prognostics.features.settings import FeatureSettings

KEY = ("asset", "window")


def window_number(time_min: pl.Expr, length: float) -> pl.Expr:
    """Number of the window that a time is in; window n goes from n · length, not included, to (n + 1) · length."""
    return (time_min / length).ceil().cast(pl.Int64) - 1


def windowed(
    rows: pl.DataFrame, sensors: Sequence[str], reference: Reference, settings: FeatureSettings
) -> pl.DataFrame:
    """One row per asset and window, in order: asset, window (its number), rows, and `sensor.feature` columns.

    rows: asset (String), time_min, Float32 sensors, ordered by asset and time.
    """
    length = settings.window_min
    keyed = rows.with_columns(window=window_number(pl.col("time_min"), length))
    new = ((pl.col("asset") != pl.col("asset").shift(1)) | (pl.col("window") != pl.col("window").shift(1))).fill_null(
        value=True
    )
    # Hours from the window's middle: centred, so that the slope's sums do not cancel.
    keyed = keyed.with_columns(
        slice=new.cum_sum().set_sorted(),
        hours=(pl.col("time_min") - (pl.col("window") + 0.5) * length) / 60,
        new=new,
    )
    keyed = keyed.with_columns(pl.col(name).cast(pl.Float64) for name in sensors)
    if settings.within:
        keyed = keyed.with_columns(
            # Steps within a window alone: the row before it may still be on its way in a stream.
            pl.when(~pl.col("new")).then(pl.col(name).diff()).alias(f"{name}|step")
            for name in sensors
        )
    limits = dict(zip(reference.sensors, zip(reference.low, reference.high, strict=True), strict=True))
    aggregates = [expr for name in sensors for expr in _aggregates(name, *limits[name], within=settings.within)]
    table = (
        keyed.rechunk()
        .group_by("slice", maintain_order=True)
        .agg(pl.col("asset").first(), pl.col("window").first(), pl.len().cast(pl.Float64).alias("rows"), *aggregates)
    )
    return (
        table.drop("slice")
        .with_columns(expr for name in sensors for expr in (_finished(name) if settings.within else ()))
        .drop(pl.selectors.contains("|"))
    )


def _aggregates(name: str, low: float, high: float, *, within: bool) -> list[pl.Expr]:
    value, hours, step = pl.col(name), pl.col("hours"), pl.col(f"{name}|step")
    if not within:
        return [value.mean().alias(f"{name}.mean")]
    known = hours.filter(value.is_not_null())
    return [
        value.mean().alias(f"{name}.mean"),
        value.drop_nulls().last().alias(f"{name}.last"),
        value.min().alias(f"{name}.low"),
        value.max().alias(f"{name}.high"),
        value.std(ddof=0).alias(f"{name}.spread"),
        pl.cov(value, hours, ddof=0).alias(f"{name}|cov"),
        known.var(ddof=0).alias(f"{name}|var"),
        step.abs().max().alias(f"{name}.step"),
        step.dot(step).alias(f"{name}|steps"),
        value.count().alias(f"{name}|count"),
        (value > high).mean().alias(f"{name}.above"),
        (value < low).mean().alias(f"{name}.below"),
        value.is_null().mean().alias(f"{name}.missing"),
    ]


def _finished(name: str) -> list[pl.Expr]:
    def col(part: str) -> pl.Expr:
        return pl.col(f"{name}{part}")

    spread, mean = col(".spread"), col(".mean")
    farthest = pl.max_horizontal(col(".high") - mean, mean - col(".low"))
    return [
        pl.when(col("|var") > 0).then(col("|cov") / col("|var")).otherwise(0.0).alias(f"{name}.slope"),
        pl.when(spread > 0)
        .then(col("|steps") / (4 * col("|count") * spread**2))
        .otherwise(0.0)
        .alias(f"{name}.fast_energy"),
        pl.when(spread > 0).then(farthest / spread).otherwise(0.0).alias(f"{name}.crest"),
    ]
