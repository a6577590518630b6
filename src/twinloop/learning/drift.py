"""Alarms when what a model is given, or what it makes of it, is no longer what it was on the day it was measured.

Each window of samples is held against the reference by two-sample tests: Kolmogorov–Smirnov for every statistic with
values, Fisher's exact test for every share, the level divided by their number (Bonferroni). A share whose rate is
known, that of samples beyond a limit, is held against the rate by a binomial test: few samples then suffice. Such
univariate tests on inputs and outputs do as well as any (Rabanser et al. 2019, "Failing Loudly"), assume nothing about
distributions, and count the reference's own uncertainty in. So the promised rate of false alarms is an upper limit over
references; a single small reference may be luckier or unluckier than that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.learning.drift_settings import DriftSettings

Values = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class DriftAlarm:
    """One statistic of one window that differs from the reference.

    window: its number, from 0; first, last: the samples in it. size: the largest distance of the two distribution
    functions (Kolmogorov–Smirnov), or the difference of the two shares. p_value: of a difference as large without
    drift; level: what it fell under. observed, expected: median (or share) in the window and in the reference.
    samples: what they are, in the plural.
    """

    window: int
    first: int
    last: int
    statistic: str
    size: float
    p_value: float
    level: float
    observed: float
    expected: float
    samples: str

    def __str__(self) -> str:
        return (
            f"{self.samples} {self.first + 1} … {self.last + 1}: {self.statistic} {self.observed:.4g}, "
            f"reference {self.expected:.4g} (difference {self.size:.2f}, p = {self.p_value:.1e})"
        )


@dataclass(frozen=True)
class Window:
    """One window's comparison: how many samples, per statistic its size and p-value, and the alarms."""

    number: int
    count: int
    sizes: dict[str, float]
    p_values: dict[str, float]
    alarms: tuple[DriftAlarm, ...]


class DriftMonitor:
    """Collects samples until a window is full, then compares it with the reference; `windows` holds every comparison.

    reference: statistic → one value per reference sample; truth values are compared as a share. rates: of those truth
    values whose share without drift is known; more of them raise an alarm. samples: what they are called in an alarm.

    >>> monitor = DriftMonitor({"level": np.arange(50.0)}, DriftSettings(window=20), samples="rows")
    >>> [str(alarm) for alarm in monitor.add({"level": np.arange(100.0, 120.0)})]
    ['rows 1 … 20: level 109.5, reference 24.5 (difference 1.00, p = 1.2e-17)']
    """

    def __init__(
        self, reference: Values, settings: DriftSettings, *, samples: str, rates: Mapping[str, float] | None = None
    ) -> None:
        self.values, self.settings, self.samples = dict(reference), settings, samples
        self.rates = dict(rates or {})
        self.windows: list[Window] = []
        self._waiting: dict[str, NDArray[Any]] = {name: values[:0] for name, values in self.values.items()}
        self._seen = 0

    @property
    def level(self) -> float:
        """The p-value under which one statistic raises an alarm."""
        return self.settings.level / len(self.values)

    def add(self, values: Values) -> tuple[DriftAlarm, ...]:
        """Take the statistics of samples, as many of each; returns the alarms of windows that are now full.

        Raises InputError where a statistic of the reference is missing or has another number of samples.
        """
        counts = {name: len(values[name]) if name in values else 0 for name in self.values}
        if len(set(counts.values())) > 1:
            raise InputError(f"drift: expected as many values of every statistic, got {counts}")
        waiting = {name: np.concatenate([held, values[name]]) for name, held in self._waiting.items()}
        alarms: list[DriftAlarm] = []
        while len(next(iter(waiting.values()))) >= self.settings.window:
            alarms += self._compare({name: held[: self.settings.window] for name, held in waiting.items()})
            waiting = {name: held[self.settings.window :] for name, held in waiting.items()}
        self._waiting = waiting
        return tuple(alarms)

    def finish(self) -> tuple[DriftAlarm, ...]:
        """Compare what is left as a smaller window: the tests hold for any number of samples."""
        left = self._waiting
        self._waiting = {name: held[:0] for name, held in left.items()}
        return self._compare(left) if len(next(iter(left.values()))) else ()

    def _compare(self, window: dict[str, NDArray[Any]]) -> tuple[DriftAlarm, ...]:
        tests = {name: _test(values, self.values[name], self.rates.get(name)) for name, values in window.items()}
        number, count, first = len(self.windows), len(next(iter(window.values()))), self._seen
        self._seen += count
        alarms = tuple(
            DriftAlarm(number, first, self._seen - 1, name, size, p, self.level, *middles, self.samples)
            for name, (size, p, middles) in tests.items()
            if p <= self.level
        )
        sizes = {name: size for name, (size, _, _) in tests.items()}
        p_values = {name: p for name, (_, p, _) in tests.items()}
        self.windows.append(Window(number, count, sizes, p_values, alarms))
        return alarms


def _test(
    window: NDArray[Any], reference: NDArray[Any], rate: float | None
) -> tuple[float, float, tuple[float, float]]:
    """Size and p-value of the difference, and the medians or shares of both."""
    from scipy.stats import binom, fisher_exact, ks_2samp

    if rate is not None:
        count, share = int(window.sum()), float(window.mean())
        return abs(share - rate), float(binom.sf(count - 1, len(window), rate)), (share, rate)
    if reference.dtype == np.bool_:
        table = [[int(values.sum()), int((~values).sum())] for values in (window, reference)]
        shares = float(window.mean()), float(reference.mean())
        return abs(shares[0] - shares[1]), float(fisher_exact(table).pvalue), shares
    test = ks_2samp(window, reference)
    return float(test.statistic), float(test.pvalue), (float(np.median(window)), float(np.median(reference)))
