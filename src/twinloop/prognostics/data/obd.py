"""Drives read from a car's diagnostic socket (OBD-II, SAE J1979), a CSV file per drive, a row per second.

Such loggers write no clock but the engine's run time, which stands still while the engine does: rows are a second
apart, as carOBD's are (Barreto, 2018). A drive is an asset: what it tells does not go on in the next file.
"""

import re
from pathlib import Path

import numpy as np
import polars as pl

from twinloop.prognostics.data.files import columns, kind_of, names_of, numbers, plain, table
from twinloop.prognostics.data.headings import one_unit, roles_of
from twinloop.prognostics.data.record import Record
from twinloop.prognostics.data.screening import screened
from twinloop.prognostics.data.settings import DataSettings

# Parameters as loggers name them, what they are called here, and their unit.
PARAMETERS = {
    "ENGINE_RPM": ("engine_rpm", "rpm"),
    "VEHICLE_SPEED": ("speed", "km/h"),
    "THROTTLE": ("throttle", "%"),
    "ENGINE_LOAD": ("engine_load", "%"),
    "COOLANT_TEMPERATURE": ("coolant_temperature", "°C"),
    "LONG_TERM_FUEL_TRIM_BANK_1": ("fuel_trim_long", "%"),
    "SHORT_TERM_FUEL_TRIM_BANK_1": ("fuel_trim_short", "%"),
    "INTAKE_MANIFOLD_PRESSURE": ("manifold_pressure", "kPa"),
    "FUEL_TANK": ("fuel_level", "%"),
    "ABSOLUTE_THROTTLE_B": ("throttle_b", "%"),
    "PEDAL_D": ("pedal_d", "%"),
    "PEDAL_E": ("pedal_e", "%"),
    "COMMANDED_THROTTLE_ACTUATOR": ("throttle_commanded", "%"),
    "FUEL_AIR_COMMANDED_EQUIV_RATIO": ("equivalence_ratio", ""),
    "ABSOLUTE_BAROMETRIC_PRESSURE": ("barometric_pressure", "kPa"),
    "RELATIVE_THROTTLE_POSITION": ("throttle_relative", "%"),
    "INTAKE_AIR_TEMP": ("intake_temperature", "°C"),
    "TIMING_ADVANCE": ("timing_advance", "°"),
    "CATALYST_TEMPERATURE_BANK1_SENSOR1": ("catalyst_temperature_1", "°C"),
    "CATALYST_TEMPERATURE_BANK1_SENSOR2": ("catalyst_temperature_2", "°C"),
    "CONTROL_MODULE_VOLTAGE": ("battery_voltage", "V"),
    "COMMANDED_EVAPORATIVE_PURGE": ("purge", "%"),
    "TIME_RUN_WITH_MIL_ON": ("mil_time", "min"),
    "TIME_SINCE_TROUBLE_CODES_CLEARED": ("codes_cleared_time", "min"),
    "DISTANCE_TRAVELED_WITH_MIL_ON": ("mil_distance", "km"),
    "WARM_UPS_SINCE_CODES_CLEARED": ("warm_ups", ""),
    "ENGINE_RUN_TIME": ("engine_run_time", "s"),
}
TELLING = ("ENGINE_RPM", "VEHICLE_SPEED", "COOLANT_TEMPERATURE")
SECONDS_PER_ROW = 1.0
# What carOBD's header means by ENGINE_RUN_TINE, and the longer names of its description.
ALIASES = {
    "ENGINE_RUN_TINE": "ENGINE_RUN_TIME",
    "FUEL_TANK_LEVEL_INPUT": "FUEL_TANK",
    "INTAKE_AIR_TEMPERATURE": "INTAKE_AIR_TEMP",
    "ACCELERATOR_PEDAL_POSITION_D": "PEDAL_D",
    "ACCELERATOR_PEDAL_POSITION_E": "PEDAL_E",
}


def _parameter(column: str) -> str:
    name = re.sub(r"\W+", "_", re.sub(r"\(.*\)", "", column).strip()).upper()
    return ALIASES.get(name, name)


def claims(files: list[Path]) -> list[Path]:
    """CSV files whose header names engine speed, vehicle speed and coolant temperature as OBD-II loggers do.

    A file that has times is a plain table, which goes by them.
    """
    csv = [path for path in files if kind_of(path) == ".csv" and roles_of(columns(path)).time is None]
    return [path for path in csv if set(TELLING) <= {_parameter(name) for name in columns(path)}]


def read(files: list[Path], settings: DataSettings) -> Record:
    """Every file as an asset named like it. A parameter that nobody knows, or that is no number, is counted.

    Units are those of the heading, without one those of the standard. Raises InputError where two files differ in one.
    """
    parts, unknown, texts, named = [], 0, 0, names_of(files)
    units: dict[str, str] = {}
    for path in files:
        frame = table(path, max_bytes=settings.max_bytes)
        known: dict[str, pl.Series] = {}
        for name in frame.columns:
            parameter = PARAMETERS.get(_parameter(name))
            if parameter is None or parameter[0] in known:
                unknown += 1
                continue
            known[parameter[0]], bad = numbers(frame[name])
            one_unit(units, {parameter[0]: plain(name)[1] or parameter[1]}, path)
            texts += bad
        minutes = np.arange(len(frame)) * SECONDS_PER_ROW / 60
        parts.append(pl.DataFrame(known).with_columns(asset=pl.lit(named[path]), time_min=pl.Series(minutes)))
    rows = pl.concat(parts, how="diagonal")
    telemetry, counts = screened(rows, units, settings)
    counts["columns unknown"], counts["values that are no number"] = unknown, texts
    notes = ("a drive is an asset, a row a second; no faults and no labels",)
    return Record(telemetry, "obd", left_out=+counts, notes=notes, clock="work")
