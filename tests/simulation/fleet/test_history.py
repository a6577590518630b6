import dataclasses
import math

import numpy as np
import polars as pl
import pytest

from tests.simulation.fleet.fleets import DAY
from twinloop.errors import InputError
from twinloop.simulation.fleet import gantt
from twinloop.simulation.fleet import history as module
from twinloop.simulation.fleet.history import FleetHistory, simulate_history
from twinloop.simulation.fleet.modes import SENSORS
from twinloop.simulation.fleet.policies import RunToFailure
from twinloop.simulation.fleet.scenario import BadBatch, Fault, Scenario
from twinloop.simulation.fleet.sensor_faults import SensorFault
from twinloop.simulation.fleet.sensors import Sensing, driven, ranges
from twinloop.simulation.fleet.standard import COMPONENTS, StandardFleet
from twinloop.simulation.fleet.world import World

FLEET = StandardFleet(vehicles=6, start="2026-01-01T00:00:00+01:00").fleet()
QUIET = Sensing(faults_per_year=0.0)
DAYS = 60


@pytest.fixture(scope="module")
def usual() -> FleetHistory:
    return simulate_history(FLEET, days=DAYS, sensing=QUIET, policy=RunToFailure())


def readings(told: FleetHistory, vehicle: str, sensor: str, first: float = 0.0, last: float = math.inf) -> np.ndarray:
    rows = told.telemetry.of_asset(vehicle).filter(pl.col("time_min").is_between(first * DAY, last * DAY))
    return rows[sensor].to_numpy()


def test_the_standard_setting_is_as_hard_as_it_says():
    laws = [(c.wear.kind, c.wear.cv, c.wear.shocks is not None) for c in COMPONENTS]
    assert laws == [
        ("gamma", 0.3, False),
        ("gamma", 0.5, False),
        ("wiener", 0.3, False),
        ("wiener", 0.5, False),
        ("gamma", 0.4, True),
        ("weibull", 0.5, False),
    ]
    assert all(c.failure == 4 * c.visit for c in COMPONENTS)
    assert [c.name for c in COMPONENTS if not any(mode.signs for mode in c.modes)] == ["control_unit"]
    assert (FLEET.notice_days, Sensing().noise) == (3, 0.06)
    lives = World.of(StandardFleet(vehicles=300).fleet(), days=1).lives
    for place in range(len(COMPONENTS)):
        drawn = np.array(
            [lives.unit(vehicle, place, number).path.life_min for vehicle in range(300) for number in (0, 1)]
        )
        assert drawn.mean() / 250 == pytest.approx(90.0, abs=4 * 0.5 * 90 / math.sqrt(600))


def test_a_vehicle_is_the_same_however_many_there_are():
    assert StandardFleet(vehicles=40).fleet().vehicles[:6] == StandardFleet(vehicles=6).fleet().vehicles


def test_there_is_a_row_per_minute_of_driving_and_none_while_it_stands(usual):
    record, world = usual.record, usual.record.world
    planned = world.duties.minutes[:, world.warmup_days :].sum()
    rows = len(usual.telemetry)
    # Whole minutes: less than one is lost per day, and at most two per stay.
    assert abs(planned - record.ledger.lost_min - rows) < len(FLEET.vehicles) * DAYS + 2 * len(record.stays)
    assert usual.telemetry.sensors == tuple(SENSORS)
    assert usual.telemetry.start == FLEET.start
    assert usual.telemetry.missing == 0
    for stay in record.stays:
        if stay.off >= world.begin_min:
            first, last = (stay.off - world.begin_min) / DAY, (stay.done - world.begin_min) / DAY
            assert len(readings(usual, FLEET.names[stay.vehicle], "speed", first + 1e-9, last - 1e-9)) == 0


def test_odometers_count_what_was_driven(usual):
    record = usual.record
    for vehicle in range(len(FLEET.vehicles)):
        minutes = driven(record, vehicle)
        assert (np.diff(minutes.time) > 0).all()
        steps = np.diff(minutes.odometer)
        assert (steps > 0).all()
        # What a day has beyond whole minutes is driven, but no row.
        assert steps.max() < 3
        assert minutes.odometer[-1] <= record.odometer[vehicle] + 1e-6


def test_what_wears_shows_and_a_new_part_does_not(usual):
    worn, fresh = [], []
    for service in usual.record.services:
        if FLEET.parts[service.component] == "brakes" and service.reason == "failure":
            end = (service.end - usual.record.world.begin_min) / DAY
            if 4 < end < DAYS - 8:
                name = FLEET.names[service.vehicle]
                worn.append(readings(usual, name, "brake_wear", end - 3, end).mean())
                fresh.append(readings(usual, name, "brake_wear", end + 1, end + 7).mean())
    assert len(worn) >= 2
    assert np.mean(worn) > np.mean(fresh) + 3.0


def test_noise_stays_when_it_is_averaged_over_a_day():
    noisy, calm = (
        simulate_history(FLEET, days=30, sensing=Sensing(faults_per_year=0.0, noise=noise), policy=RunToFailure())
        for noise in (0.06, 0.0)
    )
    one, other = (told.telemetry.frame.with_columns(day=pl.col("time_min") // DAY) for told in (noisy, calm))
    for sensor, most in ranges(FLEET).items():
        if sensor in ("speed", "load", "rpm", "fuel_rate"):
            continue  # cut at 0
        difference = one.select("asset", "day", noise=one[sensor] - other[sensor])
        by_day = difference.group_by("asset", "day").agg(pl.col("noise").mean())["noise"]
        assert by_day.std() == pytest.approx(0.06 * most, rel=0.25)
        assert difference["noise"].std() == pytest.approx(0.06 * most * math.sqrt(2), rel=0.2)


def test_tables_have_the_columns_they_promise_and_agree(usual):
    for name, frame in usual.tables.items():
        assert dict(frame.schema) == dict(getattr(module, name.upper())), name
    lives, maintenance = usual.lives, usual.maintenance
    ended = lives.filter(pl.col("reason") != "in service")
    assert len(ended) == len(maintenance) > 10
    failed = maintenance.filter(pl.col("reason") == "failure")
    assert len(failed) == int(usual.workshop["roadside"].sum())
    assert failed["mode"].null_count() == 0
    both = failed.join(lives, on=["asset", "component", "number"])
    assert len(both) == len(failed)
    assert both["age_min"].to_numpy() == pytest.approx(both["life_min"].to_numpy())
    assert "wear" not in " ".join(column for name in ("parts", "maintenance") for column in usual.tables[name].columns)
    assert set(usual.vehicles["asset"]) == set(FLEET.names) == set(usual.telemetry.assets)


def test_a_scenario_is_told_in_yaml_and_happens(tmp_path, usual):
    path = tmp_path / "pump.yaml"
    path.write_text(
        """
        name: VEH003 develops a failing water pump
        faults:
          - {vehicle: VEH003, component: water_pump, day: 20, days: 12}
        sensor_faults:
          - {vehicle: VEH001, sensor: vibration, kind: stuck, day: 5, days: 10}
          - {vehicle: VEH002, sensor: speed, kind: dropout, day: 5, days: 10}
          - {vehicle: VEH004, sensor: battery_voltage, kind: drift, day: 5, days: 10, size: 2.0}
          - {vehicle: VEH005, kind: gap, day: 5, days: 10}
        """
    )
    scenario = Scenario.from_yaml(path)
    told = simulate_history(FLEET, days=DAYS, sensing=QUIET, policy=RunToFailure(), scenario=scenario)
    pumps = told.maintenance.filter((pl.col("asset") == "VEH003") & (pl.col("component") == "water_pump"))
    due = pumps.filter(pl.col("time_min") > 20 * DAY)[0, "time_min"] / DAY
    assert 20 < due <= 45
    assert len(np.unique(readings(told, "VEH001", "vibration", 5, 14.9))) == 1
    assert np.isnan(readings(told, "VEH002", "speed", 5, 14.9)).mean() == pytest.approx(0.5, abs=0.1)
    assert told.telemetry.missing == np.isnan(readings(told, "VEH002", "speed", 5, 14.9)).sum()
    most = ranges(FLEET)["battery_voltage"]
    drifted = readings(told, "VEH004", "battery_voltage", 5, 14.9) - readings(
        usual, "VEH004", "battery_voltage", 5, 14.9
    )
    assert drifted[-1] == pytest.approx(2 * most, rel=0.01)
    assert len(readings(told, "VEH005", "speed", 5, 14.9)) == 0 < len(readings(usual, "VEH005", "speed", 5, 14.9))
    assert told.sensor_faults.select("asset", "kind").rows() == [
        ("VEH001", "stuck"),
        ("VEH002", "dropout"),
        ("VEH004", "drift"),
        ("VEH005", "gap"),
    ]


def test_a_bad_batch_fails_early():
    bad = BadBatch(component="battery", supplier="Nordteil", batch=3, life=0.3)
    fleet = StandardFleet(vehicles=120).fleet()
    told = simulate_history(fleet, days=DAYS, scenario=Scenario(batches=(bad,)), policy=RunToFailure())
    batteries = told.lives.filter(pl.col("component") == "battery").join(
        told.parts, on=["asset", "component", "number"]
    )
    of_batch = (pl.col("supplier") == "Nordteil") & (pl.col("batch") == 3)
    assert len(batteries.filter(of_batch)) >= 3
    assert batteries.filter(of_batch)["life_min"].mean() < 0.5 * batteries.filter(~of_batch)["life_min"].mean()


def test_sensors_break_by_chance_and_the_seed_repeats_everything():
    often = Sensing(faults_per_year=30.0)
    one, again, other = (simulate_history(FLEET, days=20, sensing=often, seed=seed) for seed in (1, 1, 2))
    assert one.telemetry.frame.equals(again.telemetry.frame)
    assert all(one.tables[name].equals(again.tables[name]) for name in one.tables)
    assert not one.telemetry.frame.equals(other.telemetry.frame)
    assert set(one.sensor_faults["kind"]) <= {"stuck", "dropout", "drift", "gap"}
    assert len(one.sensor_faults) > 3


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (Scenario(faults=(Fault(vehicle="VEH009", component="brakes", day=1),)), "unknown vehicle 'VEH009'"),
        (Scenario(faults=(Fault(vehicle="VEH001", component="brake", day=1),)), "did you mean 'brakes'"),
        (Scenario(faults=(Fault(vehicle="VEH001", component="brakes", day=60),)), "expected a day from 0 to 59"),
        (
            Scenario(sensor_faults=(SensorFault(vehicle="VEH001", kind="stuck", sensor="vibratio", day=1),)),
            "did you mean 'vibration'",
        ),
        (
            Scenario(batches=(BadBatch(component="battery", supplier="Nordtei", batch=0, life=0.5),)),
            "battery: unknown supplier 'Nordtei'; did you mean 'Nordteil'",
        ),
        (
            Scenario(batches=(BadBatch(component="battery", supplier="Nordteil", batch=6, life=0.5),)),
            "expected 0 to 5",
        ),
        (
            Scenario(faults=tuple(Fault(vehicle="VEH001", component="brakes", day=day, days=9) for day in (12, 4))),
            "VEH001: brakes fails until day 13 already",
        ),
        (
            Scenario(batches=(BadBatch(component="battery", supplier="Nordteil", batch=0, life=0.5),) * 2),
            "expected each batch of a supplier's component once",
        ),
    ],
)
def test_a_scenario_of_unknown_names_or_of_two_faults_at_once_is_refused(scenario, message):
    with pytest.raises(InputError, match=f"scenario 'as usual': .*{message}"):
        simulate_history(FLEET, days=DAYS, scenario=scenario)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("faults: [{vehicle: VEH001, component: brakes, day: .nan}]", "faults.0.day"),
        ("faults: [{vehicle: VEH001, component: brakes, day: -1}]", "expected an integer ≥ 0"),
        ("faults: []\nfaults: []", "'faults' comes twice, first in line 1"),
        ("fault: []", "unknown key; did you mean 'faults'"),
        ("sensor_faults: [{vehicle: VEH001, kind: stuck, day: 1}]", "stuck: expected the name of a sensor"),
        ("sensor_faults: [{vehicle: VEH001, kind: gap, sensor: speed, day: 1}]", "gap: expected no sensor"),
        ("sensor_faults: [{vehicle: VEH001, kind: sticky, sensor: speed, day: 1}]", "expected one of"),
    ],
)
def test_what_is_no_scenario_is_refused_in_one_line(tmp_path, text, message):
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        Scenario.from_yaml(path)
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="cannot be read"):
        Scenario.from_yaml(tmp_path / "none.yaml")


def test_the_chart_shows_every_stay_and_escapes_names(usual):
    bars = {trace.name: len(trace.x) for trace in usual.gantt().data}
    assert sum(count for name, count in bars.items() if name != gantt.SERVED) == len(usual.workshop)
    assert bars[gantt.FAILED] == int(usual.workshop["roadside"].sum())
    for trace in usual.gantt().data:
        assert all(0 <= begin <= begin + length <= DAYS for begin, length in zip(trace.base, trace.x, strict=True))
    assert len(set(usual.gantt(most=2).data[0].y) | set(usual.gantt(most=2).data[2].y)) <= 2
    vehicles = (dataclasses.replace(FLEET.vehicles[0], name="<b>bus</b>"),)
    hostile = dataclasses.replace(FLEET, name="<script>", vehicles=vehicles)
    text = str(simulate_history(hostile, days=60, policy=RunToFailure()).gantt().to_json())
    assert "<b>bus" not in text
    assert "&lt;b&gt;bus" in text.replace("\\u0026", "&")
    assert "&lt;script&gt;" in hostile._repr_html_()


def test_the_face_escapes_names():
    told = simulate_history(FLEET, days=10, scenario=Scenario(name="<script>alert(1)</script>"))
    assert "&lt;script&gt;" in told._repr_html_()
    assert "<script>" not in told._repr_html_()
