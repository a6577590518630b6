"""What the sensors of a fleet show, a row per minute of driving, as load and wear make it: Telemetry.

Speed and load wander (first-order autoregressive), temperatures warm up with one time constant, and wear adds the signs
of its way to fail in proportion to its level. Noise is a share of the wear range, both from minute to minute and from
day to day: averaging over a day takes the first away, not the second. The wear level itself is nowhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import settings
from twinloop.contracts import Telemetry
from twinloop.contracts.telemetry import ASSET, TIME
from twinloop.replication.streams import Streams
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY
from twinloop.simulation.fleet.modes import SENSORS
from twinloop.simulation.fleet.record import Record, Service
from twinloop.simulation.fleet.sensor_faults import EFFECTS, SensorFault, chance_faults
from twinloop.simulation.fleet.vehicle import Fleet, Kind

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
# What no wear shows in still varies by so much: one standard deviation of noise at 6 %, in the sensor's unit.
LEAST_RANGE = {
    "speed": 20.0,
    "load": 20.0,
    "rpm": 800.0,
    "coolant_temperature": 8.0,
    "oil_temperature": 8.0,
    "vibration": 1.0,
    "battery_voltage": 0.8,
    "brake_wear": 4.0,
    "tyre_pressure": 0.3,
    "fuel_rate": 2.0,
}
# These show wear the more the harder the vehicle works.
LOADED = ("coolant_temperature", "oil_temperature", "vibration", "fuel_rate")
COUNTED_FROM_ZERO = ("speed", "load", "rpm", "vibration", "brake_wear", "fuel_rate")
SPEED_MEMORY, LOAD_MEMORY, WEATHER_MEMORY = 0.9, 0.8, 0.7


@settings
class Sensing:
    """noise: standard deviation as a share of what full wear changes, from minute to minute and from day to day alike.

    faults_per_year: of the sensors of one vehicle, each up to `longest_fault_days` long. ambient_c: mean over the year;
    season_c: how much warmer its warmest day is.
    """

    noise: Annotated[float, Field(ge=0, le=10)] = 0.06
    faults_per_year: Annotated[float, Field(ge=0, le=1000)] = 0.5
    longest_fault_days: Annotated[int, Field(ge=1, le=1000)] = 10
    ambient_c: Annotated[float, Field(ge=-50, le=50)] = 10.0
    season_c: Annotated[float, Field(ge=0, le=40)] = 10.0


class Driven(NamedTuple):
    """One vehicle's minutes of driving [n]: when, day of the run, minute of its driving, minutes driven in all."""

    time: Floats
    day: NDArray[np.int64]
    minute: NDArray[np.int64]
    odometer: Floats


def driven(record: Record, vehicle: int) -> Driven:
    """The whole minutes that a vehicle drove after the warm-up, those in which it stood left out."""
    world = record.world
    first, last = world.warmup_days, world.warmup_days + world.days
    counts = world.duties.minutes[vehicle, first:last].astype(np.int64)
    day = np.repeat(np.arange(first, last), counts)
    minute = np.arange(len(day)) - np.repeat(counts.cumsum() - counts, counts)
    time = day * MINUTES_PER_DAY + world.duties.begins[vehicle] + minute
    standing, odometer = record.driven(vehicle, time)
    kept = ~standing
    return Driven(time[kept], day[kept], minute[kept], odometer[kept])


def ranges(fleet: Fleet) -> dict[str, float]:
    """By sensor, how much full wear changes at most, in its unit."""
    signs = [mode.signs for component in fleet.components for mode in component.modes]
    return {name: max([abs(sign.get(name, 0.0)) for sign in signs]) or LEAST_RANGE[name] for name in SENSORS}


def sensor_faults(
    record: Record, sensing: Sensing, *, extra: Iterable[SensorFault] = ()
) -> dict[str, list[SensorFault]]:
    """By vehicle, the faults that come by chance and `extra` ones."""
    world = record.world
    faults = {
        name: chance_faults(
            name,
            days=world.days,
            per_year=sensing.faults_per_year,
            longest_days=sensing.longest_fault_days,
            rng=world.lives.streams.generator(name, "sensor faults"),
        )
        for name in world.fleet.names
    }
    for fault in extra:
        faults[fault.vehicle].append(fault)
    return faults


def telemetry(
    record: Record, sensing: Sensing | None = None, *, faults: Mapping[str, list[SensorFault]] | None = None
) -> Telemetry:
    """What the sensors show in the run, a pure function of it; minute 0 is midnight of day 0.

    faults: by vehicle; those by chance unless given.
    """
    sensing, world = sensing or Sensing(), record.world
    faults = sensor_faults(record, sensing) if faults is None else faults
    services: dict[int, list[Service]] = {}
    for service in record.services:
        services.setdefault(service.vehicle, []).append(service)
    weather = _weather(sensing, world.fleet, world.warmup_days + world.days, world.lives.streams)
    kind = pl.Enum(sorted(world.fleet.names))
    frames = []
    for vehicle in sorted(range(len(world.fleet.names)), key=world.fleet.names.__getitem__):
        name, minutes = world.fleet.names[vehicle], driven(record, vehicle)
        columns = _readings(record, vehicle, minutes, services.get(vehicle, []), weather, sensing, faults.get(name, []))
        time = minutes.time - world.begin_min
        frame = pl.DataFrame({ASSET: pl.repeat(name, len(time), dtype=kind, eager=True), TIME: time})
        frame = frame.with_columns(pl.Series(sensor, values) for sensor, values in columns)
        gaps = [fault for fault in faults.get(name, []) if fault.kind == "gap"]
        for fault in gaps:
            inside = pl.col(TIME).is_between(
                fault.day * MINUTES_PER_DAY, (fault.day + fault.days) * MINUTES_PER_DAY, closed="left"
            )
            frame = frame.filter(~inside)
        broken = {fault.sensor for fault in faults.get(name, []) if fault.kind == "dropout" and fault.sensor}
        frames.append(frame.with_columns(pl.col(*broken).fill_nan(None)) if broken else frame)
    return Telemetry(pl.concat(frames, rechunk=False), SENSORS, world.fleet.start)


def _readings(
    record: Record,
    vehicle: int,
    minutes: Driven,
    services: list[Service],
    weather: Floats,
    sensing: Sensing,
    faults: list[SensorFault],
) -> Iterator[tuple[str, Floats32]]:
    """Every sensor's values, in the order of SENSORS."""
    world = record.world
    fleet, name, count = world.fleet, world.fleet.names[vehicle], len(minutes.time)
    streams = world.lives.streams
    signals = _healthy(fleet.kind_of(vehicle), minutes, weather, streams.generator(name, "driving"))
    hard = (0.5 + signals["load"] / 100).astype(np.float32)
    for service in services:
        signs = fleet.components[service.component].modes[service.unit.mode].signs
        first, last = np.searchsorted(minutes.odometer, (service.begin_odometer, service.end_odometer))
        if not signs or first == last:
            continue
        path = service.unit.path
        ages = minutes.odometer[first:last] - service.begin_odometer
        worn = (path.level(np.maximum(ages, 0.0)) / path.limit).astype(np.float32)
        for sensor, gain in signs.items():
            effect = worn * np.float32(gain)
            signals[sensor][first:last] += effect * hard[first:last] if sensor in LOADED else effect
    rng, most = streams.generator(name, "sensors"), ranges(fleet)
    for sensor in SENSORS:
        scale = np.float32(sensing.noise * most[sensor])
        offsets = rng.standard_normal(world.warmup_days + world.days, dtype=np.float32)
        noise = rng.standard_normal(count, dtype=np.float32) + offsets[minutes.day]
        values = signals[sensor] + scale * noise
        if sensor in COUNTED_FROM_ZERO:
            np.maximum(values, 0.0, out=values)
        for fault in faults:
            if fault.sensor == sensor:
                first_day = world.warmup_days + fault.day
                first, last = np.searchsorted(minutes.day, (first_day, first_day + fault.days))
                if first < last:
                    size = fault.size * most[sensor]
                    values[first:last] = EFFECTS[fault.kind](values[first:last], size, rng)
        yield sensor, values


def _healthy(kind: Kind, minutes: Driven, weather: Floats, rng: np.random.Generator) -> dict[str, Floats32]:
    """The sensors of a vehicle without wear or noise."""
    count = len(minutes.time)
    ambient = weather[minutes.day].astype(np.float32)
    minute = minutes.minute.astype(np.float32)
    pace = np.clip(1 + 0.35 * _wandering(rng, count, SPEED_MEMORY), 0.0, 2.0)
    load = np.clip(kind.duty.load * (0.7 + 0.3 * pace) + 0.12 * _wandering(rng, count, LOAD_MEMORY), 0.05, 1.0)
    speed = np.float32(kind.speed_kmh) * pace
    return {
        "speed": speed,
        "load": 100 * load,
        "rpm": 750 + 20 * speed + 700 * load,
        "coolant_temperature": ambient + (86 - ambient) * (1 - np.exp(-minute / 9)) + 8 * (load - 0.5),
        "oil_temperature": ambient + (95 - ambient) * (1 - np.exp(-minute / 18)) + 16 * (load - 0.5),
        "vibration": 1.0 + 0.012 * speed + 0.8 * load,
        "battery_voltage": 14.2 - 0.35 * np.exp(-minute / 15) - 0.008 * (20 - ambient),
        "brake_wear": np.full(count, 2.0, np.float32),
        "tyre_pressure": 2.6 + 0.006 * (ambient - 10) + 0.12 * (1 - np.exp(-minute / 25)),
        "fuel_rate": 0.9 + 0.13 * speed * load + 2 * load,
    }


def _wandering(rng: np.random.Generator, count: int, memory: float) -> Floats32:
    """[count] values of variance 1 that remember the last minute by `memory`."""
    from scipy.signal import lfilter

    shocks = rng.standard_normal(count, dtype=np.float32)
    fresh = np.float32(np.sqrt(1 - memory**2))
    wandering: Floats32 = lfilter([fresh], [1.0, -memory], shocks).astype(np.float32)
    return wandering


def _weather(sensing: Sensing, fleet: Fleet, days: int, streams: Streams) -> Floats:
    """[days] ambient °C, the same for all vehicles; the year's coldest days are in January."""
    from scipy.signal import lfilter

    months = fleet.dates(days).month
    season = -np.cos(2 * np.pi * (months + 0.5) / 12)
    shocks = streams.generator("weather", "ambient").standard_normal(days)
    weather: Floats = lfilter([3.0], [1.0, -WEATHER_MEMORY], shocks)
    return sensing.ambient_c + sensing.season_c * season + weather
