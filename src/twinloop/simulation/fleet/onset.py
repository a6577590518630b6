"""A part that begins to fail at a known time, whatever chance had in store for it."""

from typing import NamedTuple

import numpy as np

from twinloop.simulation.model.wear_path import WearPath


class Onset(NamedTuple):
    """A component that begins to fail on a day and fails after about `days` of planned driving, by places."""

    vehicle: int
    component: int
    day: int
    days: int


def failing(path: WearPath, age: float, ahead: float) -> WearPath:
    """The same path until `age`, from there on straight to the limit, which it reaches `ahead` minutes later."""
    level = float(path.level(age))
    before = path.age < age
    shocks = path.shock_age <= age
    risen = float(path.risen[shocks][-1]) if shocks.any() else 0.0
    ages = np.concatenate([path.age[before], [age, age + ahead]])
    base = np.concatenate([path.base[before], [level - risen, path.limit - risen]])
    return WearPath(ages, base, path.shock_age[shocks], path.risen[shocks], path.limit, age + ahead)
