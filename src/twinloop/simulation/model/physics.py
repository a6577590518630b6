"""What sensors see of a machine: temperature, vibration and power by its state and its wear."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


@settings
class Physics:
    """Constants of the sensor models, sampled every `sample_min` minutes; `wear_…` is added at the wear limit.

    Temperature (°C) follows its drive with the time constant `thermal_min`: the ambient, while working
    `work_rise_c` more. Vibration (mm/s, RMS) grows with the square of the wear level, power (kW) with the level.
    Noise: standard deviation of the temperature in °C, of vibration and power as shares of their value.
    """

    sample_min: Positive = 5.0
    ambient_c: float = 22.0
    work_rise_c: NotNegative = 25.0
    wear_rise_c: NotNegative = 20.0
    thermal_min: Positive = 30.0
    rest_mm_s: Positive = 0.2
    work_mm_s: NotNegative = 1.5
    wear_mm_s: NotNegative = 6.0
    rest_kw: NotNegative = 0.8
    setup_kw: NotNegative = 1.5
    work_kw: NotNegative = 5.0
    wear_kw: NotNegative = 1.5
    temperature_noise_c: NotNegative = 0.3
    vibration_noise: NotNegative = 0.05
    power_noise: NotNegative = 0.02
