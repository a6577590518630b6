"""One life of a machine as a path of its wear level over minutes of work, from repair to failure.

The whole path is drawn when the life begins, so that the life is known to the engine (an operation knows whether it
will be broken), to the oracle, and to the sensors, and all agree. Between its grid points a path is linear. The law of
the life is exact without shocks, to a ten-thousandth of it for the gamma process; shocks are laid over the path.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twinloop.replication.streams import Streams
from twinloop.simulation.model.wear import Shocks, Wear
from twinloop.simulation.model.wear_process import PROCESSES

Floats = NDArray[np.float64]
BLOCK = 32


@dataclass(frozen=True, eq=False)
class WearPath:
    """The level of one life.

    age, base: [n] minutes of work from 0 and the level there without shocks. shock_age, risen: [k] when shocks come and
    how much they have raised the level together. life_min: minutes of work until the level is at `limit`.
    """

    age: Floats
    base: Floats
    shock_age: Floats
    risen: Floats
    limit: float
    life_min: float

    @classmethod
    def draw(cls, wear: Wear, rng: np.random.Generator, *, start: float = 0.0) -> Self:
        """A life that begins at level `start`, below the limit.

        For weibull wear the start is an age: the one at which a new machine has that level (Kijima's virtual age).
        """
        age, base = PROCESSES[wear.kind](wear, rng, start)
        longest = float(age[-1])
        shock_age, risen = _shocks(wear.shocks, rng, longest, wear.limit - start)
        life = min(longest, _passage(age, base, shock_age, risen, wear.limit))
        return cls(age, base, shock_age, risen, wear.limit, life)

    def level(self, age: Floats | float) -> Floats:
        """The level at these minutes of work; the limit from the failure on."""
        ages = np.asarray(age, dtype=np.float64)
        shocks = np.concatenate([[0.0], self.risen])[np.searchsorted(self.shock_age, ages, side="right")]
        level = np.interp(ages, self.age, self.base) + shocks
        return np.where(ages >= self.life_min, self.limit, np.minimum(level, self.limit))

    def health(self, age: Floats | float) -> Floats:
        """1 as new, 0 failed: the share of the limit that is left at these minutes of work."""
        return np.clip(1 - self.level(age) / self.limit, 0.0, 1.0)

    def age_below(self, health: float) -> float:
        """Minutes of work until the health is first at or below a value in [0, 1]; the life at the latest."""
        level = (1 - health) * self.limit
        return min(self.life_min, _passage(self.age, self.base, self.shock_age, self.risen, level))


def life_path(wear: Wear, streams: Streams, machine: str, life: int, *, start: float) -> WearPath:
    """The path of a machine's life number `life` (from 0), which begins at level `start`."""
    return WearPath.draw(wear, streams.generator(machine, f"wear {life}"), start=start)


def level_left(wear: Wear, health: float, restoration: float) -> float:
    """The level that a repair or a maintenance leaves at this health."""
    return (1 - restoration) * (1 - health) * wear.limit


def _shocks(shocks: Shocks | None, rng: np.random.Generator, longest: float, room: float) -> tuple[Floats, Floats]:
    """Ages of the shocks and the sums of their jumps, until the base path ends or they fill the room by themselves."""
    ages, jumps = np.empty(0), np.empty(0)
    if shocks is None:
        return ages, jumps
    while not len(ages) or (ages[-1] < longest and jumps.sum() < room):
        last = ages[-1] if len(ages) else 0.0
        ages = np.append(ages, last + rng.exponential(shocks.every_min, BLOCK).cumsum())
        jumps = np.append(jumps, rng.gamma(shocks.cv**-2, shocks.jump * shocks.cv**2, BLOCK))
    inside = ages < longest
    return ages[inside], jumps[inside].cumsum()


def _passage(age: Floats, base: Floats, shock_age: Floats, risen: Floats, level: float) -> float:
    """The first age at which base and shocks together are at `level`; infinite if never."""
    knots = np.union1d(age, shock_age)
    smooth = np.interp(knots, age, base)
    steps = np.concatenate([[0.0], risen])
    before = smooth + steps[np.searchsorted(shock_age, knots, side="left")]
    after = smooth + steps[np.searchsorted(shock_age, knots, side="right")]
    reached = np.flatnonzero(after >= level)
    if not len(reached):
        return float("inf")
    first = int(reached[0])
    if first == 0 or before[first] < level:
        return float(knots[first])
    share = (level - after[first - 1]) / (before[first] - after[first - 1])
    return float(knots[first - 1] + share * (knots[first] - knots[first - 1]))
