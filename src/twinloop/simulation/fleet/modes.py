"""How components fail, and which sensors show it."""

import dataclasses
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.errors import nearest
from twinloop.simulation.model.names import Name

# What a vehicle reports every minute of driving → its unit.
SENSORS = {
    "speed": "km/h",
    "load": "%",
    "rpm": "1/min",
    "coolant_temperature": "°C",
    "oil_temperature": "°C",
    "vibration": "mm/s",
    "battery_voltage": "V",
    "brake_wear": "mm",
    "tyre_pressure": "bar",
    "fuel_rate": "l/h",
}
Share = Annotated[float, Field(gt=0, le=1)]


@settings
class Mode:
    """One way in which a component fails; `share`: of its lives that end so, in proportion to the other modes.

    signs: sensor → what full wear adds to its reading, in its unit; none for a failure that no sensor shows.
    """

    name: Name
    share: Share = 1.0
    signs: dict[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for sensor in self.signs:
            if sensor not in SENSORS:
                raise ValueError(f"signs: unknown sensor {sensor!r}; {nearest(sensor, SENSORS)}")
