"""A system that is no line: papers bought in the morning, sold to the day's demand, whose optimum is known.

Demand is normal; the order of most expected profit is the (price - cost) / price quantile of it (Arrow, Harris and
Marschak, 1951).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from twinloop.errors import RunError
from twinloop.replication.kpi import Kpi
from twinloop.replication.search import Space, Values
from twinloop.replication.streams import Streams
from twinloop.replication.system import System

PRICE, COST = 3.0, 1.0
MEAN, DEVIATION = 100.0, 20.0
BEST_ORDER = MEAN + DEVIATION * float(ndtri((PRICE - COST) / PRICE))
KPIS = {"profit": Kpi("Profit", "€/day"), "sold": Kpi("Sold", "papers/day"), "sold_out": Kpi("Days sold out")}


@dataclass(frozen=True)
class Newsvendor:
    """Key figures of `days` days by replication. mean: expected demand, or draws of it, taken in turn."""

    order: float
    seed: int = 1
    days: int = 20
    means: tuple[float, ...] = (MEAN,)

    def __call__(self, number: int) -> dict[str, float]:
        if self.order <= 0:
            raise RunError("newsvendor: no papers, no kiosk")
        mean = self.means[number % len(self.means)]
        luck = Streams(self.seed, number).generator("kiosk", "demand").standard_normal(self.days)
        demand = np.maximum(mean + DEVIATION * luck, 0.0)
        sold = np.minimum(demand, self.order)
        return {
            "profit": float((PRICE * sold - COST * self.order).mean()),
            "sold": float(sold.mean()),
            "sold_out": float((demand >= self.order).mean()),
        }


def kiosk(order: float, *, name: str | None = None, seed: int = 1) -> System:
    """The newsvendor who buys so many papers."""
    return System(name or f"order {order:g}", Newsvendor(order, seed=seed))


def uncertain(order: float, spread: float) -> System:
    """The same, whose mean demand was estimated: four draws around the estimate."""
    means = tuple(MEAN + spread * step for step in (-1.5, -0.5, 0.5, 1.5))
    return System(f"order {order:g}", Newsvendor(order, means=means), Newsvendor(order))


def orders(today: float, *, seed: int = 1) -> Space:
    """What a knob called `order` makes of the kiosk."""

    def make(name: str, values: Values) -> System:
        return kiosk(values["order"], name=name, seed=seed)

    return Space({"order": today}, make)
