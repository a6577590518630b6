import numpy as np
import polars as pl
import pytest

from twinloop.prognostics.data.record import EVENTS, LIVES
from twinloop.prognostics.evaluation.unseen import LEARNT, MODES, UNSEEN, Mode, tallied, unseen_modes, with_modes
from twinloop.prognostics.models.calibration import Calibration
from twinloop.prognostics.models.hazard import ComponentModel, HazardModel
from twinloop.prognostics.models.settings import BoostSettings, HazardSettings
from twinloop.prognostics.models.table import FeatureTable
from twinloop.prognostics.models.weibull import Weibull

DAY = 1440.0
SETTINGS = HazardSettings(days=5, boost=BoostSettings(trees=30, depth=3, learning_rate=0.2, leaf=1.0, columns=1.0))
MODEL = HazardModel(
    SETTINGS, ("heat", "noise"), (), {"pump": ComponentModel({}, {}, Calibration(), Weibull(2, 500), 0)}, None
)


def fleet(
    *, shared: bool, assets: int = 40, days: int = 100, seed: int = 0
) -> tuple[FeatureTable, pl.DataFrame, pl.DataFrame]:
    """Pumps that fail by their bearing, which warms, or by their seal, which warms too or else is heard."""
    rng = np.random.default_rng(seed)
    rows, events, lives = [], [], []
    for number in range(assets):
        asset, begin, ends, mode = f"v{number:02d}", 0.0, int(rng.integers(10, 40)), "bearing"
        for day in range(1, days + 1):
            near = max(0.0, 8.0 - (ends - day)) / 8
            heat = near if shared or mode == "bearing" else 0.0
            noise = 0.0 if shared or mode == "bearing" else near
            rows.append((asset, day * DAY, heat + rng.normal(0, 0.05), noise + rng.normal(0, 0.05)))
            if day == ends:
                at = (day + 0.5) * DAY
                events.append((asset, "pump", "failure", at, None, mode))
                lives.append((asset, "pump", begin, at, True, ""))
                begin, ends = at, day + int(rng.integers(15, 40))
                mode = "bearing" if rng.random() < 0.5 else "seal"
        lives.append((asset, "pump", begin, (days + 0.6) * DAY, False, ""))
    table = FeatureTable.of(pl.DataFrame(rows, schema=["asset", "time_min", "heat", "noise"], orient="row"))
    made = pl.DataFrame(events, schema=EVENTS, orient="row")
    return table, pl.DataFrame(lives, schema=LIVES, orient="row"), made


def measured(*, shared: bool) -> dict[tuple[str | None, str], dict[str, float]]:
    table, lives, events = fleet(shared=shared)
    learnt = table.unit < 20
    modes = unseen_modes(
        MODEL,
        table,
        lives,
        events,
        np.flatnonzero(learnt),
        np.flatnonzero(~learnt),
        false_alarms=0.1,
        draws=50,
        seed=1,
    )
    assert dict(modes.schema) == MODES
    return {(row["mode"], row["training"]): row for row in modes.iter_rows(named=True)}


def test_a_mode_that_shows_elsewhere_is_missed_by_whoever_never_met_it() -> None:
    found = measured(shared=False)
    assert found["seal", LEARNT]["recall"] > 0.9
    assert found["seal", UNSEEN]["recall"] < 0.3
    assert found["seal", UNSEEN]["recall_high"] < found["seal", LEARNT]["recall_low"]
    assert found[None, UNSEEN]["failures"] == found["seal", UNSEEN]["failures"] + found["bearing", UNSEEN]["failures"]
    assert all(row["false_alarms"] <= 0.1 for (mode, _), row in found.items() if mode)


def test_a_mode_that_shows_as_the_others_do_is_found_without_having_been_met() -> None:
    found = measured(shared=True)
    assert found["seal", UNSEEN]["recall"] > 0.9
    assert 0 < found["seal", UNSEEN]["lead_hours"] <= SETTINGS.days * 24
    assert found["seal", UNSEEN]["lead_hours_low"] <= found["seal", UNSEEN]["lead_hours"]


def test_finds_leads_and_false_alarms_of_a_mode_by_hand() -> None:
    times = [DAY * day for day in range(1, 11)]
    table = FeatureTable.of(pl.DataFrame({"asset": ["a"] * 10, "time_min": times, "x": 0.0}))
    lives = pl.DataFrame(
        [("a", "pump", 0.0, 4.5 * DAY, True), ("a", "pump", 4.5 * DAY, 10.5 * DAY, True)],
        schema=["asset", "component", "begin_min", "end_min", "failed"],
        orient="row",
    ).with_columns(mode=pl.Series(["bearing", "seal"]))
    score = np.array([0, 0, 0, 1, 1, 0, 0, 1, 0, 1.0])  # the fifth of them is long before the seal's failure
    tally = tallied(table, lives, Mode("pump", "seal", 1), score, np.arange(10), threshold=0.5, window_h=72.0)
    assert (tally.failures.tolist(), tally.found.tolist(), tally.false.tolist()) == ([1], [1], [1])
    assert tally.lead.tolist() == [60.0]
    assert tally.months[0] == pytest.approx(((4.5 - 1 - 3) + (10.5 - 5 - 3)) * 24 / 730)


def test_a_component_whose_modes_are_not_told_is_not_judged() -> None:
    table, lives, events = fleet(shared=True)
    halves = np.flatnonzero(table.unit < 20), np.flatnonzero(table.unit >= 20)
    for details in (pl.lit(None, pl.String), pl.lit(""), pl.lit("worn")):
        told = events.with_columns(detail=details)
        assert unseen_modes(MODEL, table, lives, told, *halves, false_alarms=0.1, draws=10, seed=0).is_empty()
    assert with_modes(lives, events).filter("failed")["mode"].is_not_null().all()
    assert with_modes(lives, events).filter(~pl.col("failed"))["mode"].is_null().all()
