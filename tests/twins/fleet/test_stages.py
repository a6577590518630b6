"""What the fleet's stages leave: held-out judgement, risks, prices and a book that belong together."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.twins.fleet.small_loop import STAGES, config, run, stage
from twinloop.config import Invalid
from twinloop.contracts import RiskTable
from twinloop.contracts.diagnosis import load_diagnoses
from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.prognostics.prepared import TEST, TRAIN, Prepared
from twinloop.twins.fleet import book, paths, plan, schedule
from twinloop.twins.fleet.schedule import answers


@pytest.fixture(scope="session")
def prepared(fleet_root: Path) -> Prepared:
    return Prepared.load(fleet_root / paths.DATASET)


def table(root: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(root / paths.EVALUATION / f"{name}.parquet")


def test_every_stage_tells_what_it_made_and_measures(fleet_root: Path) -> None:
    printed = (fleet_root / "printed").read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0] for line in printed] == list(STAGES)
    assert "12 assets" in printed[0]
    assert all(read_json(fleet_root / paths.metrics(name)) for name in STAGES)


def test_training_and_test_share_neither_assets_nor_time(prepared: Prepared) -> None:
    features = prepared.table()
    train, test = prepared.rows(TRAIN), prepared.rows(TEST)
    assert not set(features.unit[train]) & set(features.unit[test])
    gap = features.time_min[test].min() - features.time_min[train].max()
    assert gap >= 14 * 1440
    learnt, lives = prepared.learnt()
    assert set(learnt.assets).isdisjoint(prepared.about["test_assets"])
    assert lives["end_min"].max() <= learnt.time_min.max()
    assert lives["failed"].sum() < prepared.lives()["failed"].sum()


def test_what_is_usual_was_learnt_from_training_rows_alone(prepared: Prepared, tmp_path: Path) -> None:
    again = run(tmp_path, "fleet.split.test_share=0.6", stages=("prepare",))
    other = Prepared.load(tmp_path / paths.DATASET)
    assert "windows" in again["prepare"]
    assert len(other.about["test_assets"]) > len(prepared.about["test_assets"])
    assert not np.array_equal(other.reference.level, prepared.reference.level)


def test_all_methods_are_judged_on_the_same_rows(fleet_root: Path) -> None:
    judged = table(fleet_root, "judged")
    battery = judged.filter((pl.col("component") == "battery") & (pl.col("metric") == "pr_auc"))
    assert {"ensemble", "age", "never"} <= set(battery["method"])
    assert judged.filter(pl.col("metric") != "pr_auc")["method"].is_in(["single sensor"]).sum() == 0
    assert (judged["low"] <= judged["mean"] + 1e-9).all()
    assert (judged["mean"] <= judged["high"] + 1e-9).all()
    for name in table(fleet_root, "calibration")["component"].unique():
        never = judged.filter(
            (pl.col("component") == name) & (pl.col("method") == "never") & (pl.col("metric") == "ece")
        )
        rate = table(fleet_root, "calibration").filter(pl.col("component") == name)
        share = (rate["happened"] * rate["rows"]).sum() / rate["rows"].sum()
        assert never.is_empty() or never["mean"][0] == pytest.approx(share, abs=1e-9)


def test_key_figures_carry_intervals_over_assets(fleet_root: Path) -> None:
    measured = read_json(fleet_root / paths.metrics("evaluate"))
    for name in ("pr_auc", "brier", "ece", "pr_auc_leaky", "pr_auc_honest", "pr_auc_promise", "recall"):
        assert measured[f"{name}_low"] <= measured[name] <= measured[f"{name}_high"], name
    assert measured["pr_auc_promise"] == pytest.approx(measured["pr_auc_leaky"] - measured["pr_auc_honest"])
    own = table(fleet_root, "judged").filter((pl.col("method") == "ensemble") & (pl.col("metric") == "brier"))
    assert measured["brier"] == pytest.approx(own["mean"].mean())
    bins = table(fleet_root, "calibration")
    assert (bins["low"] <= bins["happened"]).all()
    assert (bins["happened"] <= bins["high"]).all()
    beside = table(fleet_root, "beside")
    assert (beside["low"] <= beside["mean"]).all()
    assert (beside["mean"] <= beside["high"]).all()


def test_failures_of_modes_held_out_are_told_with_intervals_or_as_none(fleet_root: Path) -> None:
    modes, measured = table(fleet_root, "modes"), read_json(fleet_root / paths.metrics("evaluate"))
    together = modes.filter(pl.col("component").is_null())
    if modes.is_empty():
        assert measured["modes_unseen_recall"] is None
    else:
        assert together["training"].to_list() == ["learnt", "unseen"]
        assert measured["modes_unseen_recall"] == together[1, "recall"]
        assert (modes["recall_low"] <= modes["recall"]).all()
        assert (modes["recall"] <= modes["recall_high"]).all()


def test_every_component_in_service_has_hours_left(fleet_root: Path) -> None:
    left = pl.read_parquet(fleet_root / paths.REMAINING)
    risks = RiskTable.load(fleet_root / paths.RISKS).frame
    assert set(left.select("asset", "component").iter_rows()) == set(risks.select("asset", "component").iter_rows())
    assert (left["low_h"] <= left["median_h"]).all()
    assert (left["median_h"] <= left["high_h"]).all()
    soon = left.filter(pl.col("median_h") < 14 * 24).select("asset", "component")
    likely = risks.filter((pl.col("horizon_hours") == 14 * 24) & (pl.col("probability") > 0.5))
    assert set(soon.iter_rows()) == set(likely.select("asset", "component").iter_rows())


def test_every_asset_in_service_has_a_risk_of_every_component(fleet_root: Path, prepared: Prepared) -> None:
    risks = RiskTable.load(fleet_root / paths.RISKS)
    assert len(risks.assets) == prepared.about["assets"]
    assert set(risks.frame["component"]) == set(prepared.about["components"])
    assert risks.clock == "calendar"
    dear = risks.frame.group_by("component").agg(pl.col("cost").first())
    assert (dear["cost"] == 2000.0).all()


def test_diagnoses_of_the_story_have_reasons_and_an_action(fleet_root: Path) -> None:
    found = load_diagnoses(fleet_root / paths.EVALUATION / "diagnoses.parquet")
    assert found
    assert all(one.asset.startswith("VEH") and one.action.startswith("renew") for one in found)
    learnt = [one for one in found if one.component == "battery"]
    assert any(one.contributions for one in learnt) or not learnt


def test_curves_are_by_the_work_that_wears_and_read_back(fleet_root: Path) -> None:
    for folder in (paths.ALERTS, paths.LEADS):
        curves = plan.load_curves(fleet_root / folder)
        assert curves
        assert {curve.clock for curve in curves.values()} == {"work"}
        assert {curve.hours_per_month < 730 for curve in curves.values()} == {True}


def test_alerts_at_the_operating_point_keep_to_the_false_alarms_asked_for(fleet_root: Path) -> None:
    curves = plan.load_curves(fleet_root / paths.ALERTS)
    measured = read_json(fleet_root / paths.metrics("evaluate"))
    assert sum(curve.false_alarms_at() for curve in curves.values()) == pytest.approx(measured["false_alarms"])
    assert measured["false_alarms"] <= 0.5 or {curve.threshold for curve in curves.values()} == {
        curve.thresholds[-1] for curve in curves.values()
    }
    found = table(fleet_root, "found")
    assert measured["recall"] == pytest.approx(found["found"].mean())
    assert measured["recall_common"] == pytest.approx(found["found_common"].mean())
    assert {name: curve.threshold for name, curve in curves.items()} == {
        name: measured[f"threshold_{name}"] for name in curves
    }


def test_the_story_s_stuck_sensor_is_in_its_record(prepared: Prepared) -> None:
    rows = prepared.telemetry.of_asset("VEH002").filter(pl.col("time_min").is_between(41 * 1440, 49 * 1440))
    assert rows["vibration"].n_unique() == 1
    assert "VEH003" in " ".join(prepared.about["notes"])


def test_the_price_names_a_policy_that_can_be_followed(fleet_root: Path) -> None:
    answer = read_json(fleet_root / paths.ANSWER)
    assert answer["policy"] not in ("wear seen", "oracle")
    policies = pl.read_parquet(fleet_root / paths.SIMULATION / "policies.parquet")
    costs = policies.filter(pl.col("kpi") == "cost_per_vehicle_day")
    followed = costs.filter(~pl.col("policy").is_in(["wear seen", "oracle"]))
    assert followed.sort("mean")["policy"][0] == answer["policy"]
    assert costs.sort("mean")["policy"][0] == "oracle"


def test_the_book_fits_the_workshop_and_its_reserve(fleet_root: Path) -> None:
    calendar = pl.read_parquet(fleet_root / paths.SCHEDULE / "calendar.parquet")
    load = pl.read_parquet(fleet_root / paths.SCHEDULE / "load.parquet")
    assert calendar["asset"].n_unique() == len(calendar)
    assert set(calendar["status"]) <= {"agreed"}
    assert (load["booked"] <= load["bookable"]).all()
    kept = read_json(fleet_root / paths.SCHEDULE / "book.json")["reserve"]
    assert kept
    some = next(iter(kept))
    row = load.filter((pl.col("skill") == some) & (pl.col("minutes") > 0)).row(0, named=True)
    assert row["bookable"] == pytest.approx(row["minutes"] * (1 - kept[some]), abs=1.01)


def test_surprises_of_the_fullest_day_are_answered(fleet_root: Path) -> None:
    reactions = pl.read_parquet(fleet_root / paths.SCHEDULE / "reactions.parquet")
    assert {"no-show", "emergency", "overrun", "late parts"} <= set(reactions["event"])
    visits = pl.read_parquet(fleet_root / paths.SCHEDULE / "visits.parquet")
    assert len(visits) == read_json(fleet_root / paths.metrics("schedule"))["fullest_day_visits"]


def test_customers_who_decline_get_another_day_or_wait(fleet_root: Path, prepared: Prepared) -> None:
    risks = RiskTable.load(fleet_root / paths.RISKS)
    proposed = book.opened(config().fleet, prepared, risks, seed=1)
    refused = answers(proposed, declines=1.0, seed=1)
    assert refused.declined == len(proposed.plan.visits)
    declined = refused.bookings.declined
    assert set(declined) == set(proposed.plan.visits)
    # When another one's answer had moved a proposal, the day that was proposed first is still free to take.
    assert all(day not in declined.get(asset, ()) for asset, (day, _) in refused.bookings.plan.visits.items())
    assert refused.bookings.plan.cost >= proposed.plan.cost - 1e-6


def test_without_risk_nobody_is_booked(fleet_root: Path, tmp_path: Path) -> None:
    for folder in (paths.DATASET,):
        (tmp_path / folder).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / folder).symlink_to(fleet_root / folder)
    risks = RiskTable.load(fleet_root / paths.RISKS)
    calm = risks.frame.with_columns(pl.lit(0.0).alias(name) for name in ("probability", "low", "high"))
    RiskTable.of(calm, issued_min=risks.issued_min, clock=risks.clock).save(tmp_path / paths.RISKS)
    line = schedule.run(stage(tmp_path))
    assert line.startswith("0 visits")
    assert read_json(tmp_path / paths.metrics("schedule"))["expected_saving"] == 0


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("fleet.split.gap_days=3", "split.gap_days = 3: expected at least the predictor's horizon, 14 days"),
        ("++fleet.tune.space={boost.colour: {kind: int, low: 1, high: 2}}", "colour"),
        ("++fleet.tune.space={network.width: {kind: int, low: 1, high: 2}}", "expected boost.… or forest.…"),
        ("fleet.fleet.vehicles=0", "vehicles"),
        ("fleet.booking.reserve=most", "reserve"),
        ("fleet.booking.declines=2", "declines"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(override: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        config(override)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tune", "run the prepare stage first"),
        ("train", "run the prepare stage first"),
        ("export", "export it again"),
        ("simulate", "run the prepare stage first"),
        ("schedule", "run the prepare stage first"),
    ],
)
def test_a_stage_without_what_the_one_before_makes_says_so(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        run(tmp_path, stages=(name,))


def test_a_story_of_a_vehicle_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="VEH099"):
        run(tmp_path, "fleet.story.scenario.faults=[{vehicle: VEH099, component: brakes, day: 5}]", stages=("prepare",))


def test_a_component_s_name_in_data_becomes_one_that_can_be_simulated() -> None:
    assert plan.component_name("comp 1 (left)") == "comp_1_left"
    assert plan.component_name("2nd pump") == "c_2nd_pump"
    assert plan.component_name("…") == "component"


def test_a_model_file_that_was_altered_or_is_a_pickle_is_refused(fleet_root: Path, tmp_path: Path) -> None:
    import pickle
    import shutil

    from twinloop.prognostics.inference.graphs import open_hazard

    shutil.copytree(fleet_root / paths.PREDICTOR, tmp_path / "predictor")
    graph = sorted((tmp_path / "predictor").glob("*_forest.onnx"))[0]
    graph.write_bytes(pickle.dumps({"forest": 1}))
    with pytest.raises(InputError, match=graph.name):
        open_hazard(tmp_path / "predictor")
