import numpy as np
import pytest

from tests.simulation.lines import PERFECT, fixed, log_of, serial_line
from tests.simulation.worn import policy, wear, worn_line
from twinloop.contracts import Telemetry
from twinloop.simulation import Line, Source, Station, Variant
from twinloop.simulation.degradation.history import histories
from twinloop.simulation.degradation.sensors import UNITS, telemetry, temperature
from twinloop.simulation.events.log import DOWN, MAINTENANCE, SHIP, STARVED, STATES
from twinloop.simulation.model.physics import Physics

SILENT = Physics(temperature_noise_c=0.0, vibration_noise=0.0, power_noise=0.0)


def observed(line: Line, *, minutes: float, physics: Physics = SILENT) -> Telemetry:
    return telemetry(line, log_of(line, minutes=minutes), physics, seed=1, replication=0)


def test_a_machine_that_works_all_the_time_warms_up_with_its_time_constant():
    physics = Physics(sample_min=3.0, thermal_min=40.0, ambient_c=20.0, work_rise_c=30.0)
    warm = temperature(np.ones(100), np.zeros(100), physics)
    time = 3.0 * np.arange(1, 101)
    assert warm == pytest.approx(20.0 + 30.0 * (1 - np.exp(-time / 40.0)))
    assert temperature(np.zeros(5), np.ones(5), physics).tolist() == [20.0] * 5


def test_wear_shows_in_temperature_vibration_and_power():
    line = worn_line(wear("gamma", cv=0.2))
    log = log_of(line, minutes=30_000.0)
    history = next(histories(line, log, seed=1, replication=0))
    wide = telemetry(line, log, SILENT, seed=1, replication=0).of_asset("press")
    time = wide["time_min"].to_numpy()
    worn, working = history.wear_share(time), wide["state"].to_numpy() == STATES.index("running")
    new = working & (worn < 0.3) & (history.age(time) > 200.0)
    old = (worn > 0.8) & (wide["state"].to_numpy() == STATES.index("warning"))
    for sensor, rise in (("temperature", 10.0), ("vibration", 3.0), ("power", 1.0)):
        values = wide[sensor].to_numpy()
        assert np.median(values[old]) > np.median(values[new]) + rise


def test_a_machine_that_is_down_cools_and_takes_no_power():
    line = worn_line(wear("gamma"), repair=fixed(400.0))
    wide = observed(line, minutes=10_000.0).of_asset("press")
    state = wide["state"].to_numpy()
    long_down = np.flatnonzero((state == STATES.index("down")) & (np.roll(state, 60) == STATES.index("down")))
    assert len(long_down) > 50
    assert wide["power"].to_numpy()[long_down].tolist() == pytest.approx([0.0] * len(long_down))
    assert wide["temperature"].to_numpy()[long_down] == pytest.approx(22.0, abs=0.1)
    assert wide["vibration"].to_numpy()[long_down] == pytest.approx(0.2)


def test_power_over_time_is_the_energy_of_the_states():
    stations = (
        Station(name="press", cycle=fixed(4.0), setup=fixed(7.0)),
        Station(name="pack", cycle=fixed(6.0)),
    )
    source = Source(variants=(Variant(name="a"), Variant(name="b")), lot_size=5)
    line = Line(stations=stations, buffers=(2,), source=source, inspection=PERFECT)
    log = log_of(line, minutes=2000.0)
    wide = telemetry(line, log, SILENT, seed=1, replication=0).of_asset("press")
    minutes = dict(zip(STATES, log.time_in_states()[1], strict=True))
    rest = 2000.0 - minutes["running"] - minutes["setup"]
    energy = 5.0 * minutes["running"] + 1.5 * minutes["setup"] + 0.8 * rest
    assert wide["power"].sum() * 5.0 == pytest.approx(energy, rel=1e-6)


def test_the_plc_tells_state_and_count_as_the_log_has_them():
    line = worn_line(wear("gamma", mean_life_min=203.0), maintenance=policy("interval", interval_min=150.0))
    log = log_of(line, minutes=5000.0)
    wide = telemetry(line, log, SILENT, seed=1, replication=0).of_asset("press")
    assert (log.event == DOWN).sum() > 3
    counts = wide["count"].to_numpy()
    assert (np.diff(counts) >= 0).all()
    assert counts[-1] in (int((log.event == SHIP).sum()), int((log.event == SHIP).sum()) + 1)
    for time, state in wide.select("time_min", "state").iter_rows():
        rows = np.flatnonzero((log.entity == 1) & (log.event >= STARVED) & (log.time <= time))
        assert state == log.event[rows[-1]] - STARVED


def test_every_machine_has_every_sensor_at_every_time_with_and_without_wear():
    for line in (serial_line(3, buffer=2), worn_line(wear())):
        rows = observed(line, minutes=203.0)
        assert len(rows) == 40 * len(line.stations)
        assert rows.units == UNITS
        assert rows.missing == 0
        assert rows.frame["time_min"].max() == 200.0


def test_noise_is_of_the_machine_and_the_replication_and_repeats():
    line = worn_line(wear())
    log = log_of(line, minutes=1000.0)
    first, again, other = (telemetry(line, log, seed=1, replication=number).frame for number in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_the_log_alone_gives_back_the_lives_that_the_machine_had():
    line = worn_line(
        wear("gamma", restoration=0.8), maintenance=policy("interval", interval_min=700.0, restoration=0.6)
    )
    log = log_of(line, minutes=30_000.0)
    history = next(histories(line, log, seed=1, replication=0))
    health = log.value[np.isin(log.event, (DOWN, MAINTENANCE))]
    ends = [1 - float(life.path.level(history.age(np.array([life.end_min]))[0])) for life in history.lives[:-1]]
    assert ends == pytest.approx(health.tolist(), abs=1e-9)
    assert len(ends) > 30
