"""Alarms when what the camera sends, or what the detector makes of it, is no longer what was measured.

Each window of images is held against the reference by two-sample tests: Kolmogorov–Smirnov for every continuous
statistic, Fisher's exact test for the share of stopped parts, the level divided by their number (Bonferroni). Such
univariate tests on inputs and outputs do as well as any (Rabanser et al. 2019, "Failing Loudly"), assume nothing
about distributions, and count the reference's own uncertainty in. So the promised rate of false alarms is an upper
limit over references; a single small reference may be luckier or unluckier than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Decision
from twinloop.errors import InputError
from twinloop.vision.inference.predict import Prediction, fit_image
from twinloop.vision.monitoring.reference import MEASURED, STOPPED, DriftReference
from twinloop.vision.monitoring.settings import DriftSettings
from twinloop.vision.monitoring.statistics import Observations, joined, observe

STATISTICS = (*MEASURED, STOPPED)


@dataclass(frozen=True)
class DriftAlarm:
    """One statistic of one window that differs from the reference.

    window: its number, from 0; first, last: the images in it. size: the largest distance of the two distribution
    functions (Kolmogorov–Smirnov), or the difference of the two shares. p_value: of a difference as large without
    drift; level: what it fell under. found, expected: median (or share) in the window and in the reference.
    """

    window: int
    first: int
    last: int
    statistic: str
    size: float
    p_value: float
    level: float
    found: float
    expected: float

    def __str__(self) -> str:
        return (
            f"images {self.first + 1} … {self.last + 1}: {self.statistic} {self.found:.4g}, "
            f"reference {self.expected:.4g} (difference {self.size:.2f}, p = {self.p_value:.1e})"
        )


@dataclass(frozen=True)
class Window:
    """One window's comparison: per statistic its size and p-value, and the alarms."""

    number: int
    images: int
    sizes: dict[str, float]
    p_values: dict[str, float]
    alarms: tuple[DriftAlarm, ...]


class DriftMonitor:
    """Collects images until a window is full, then compares it with the reference.

    settings: those of the reference unless given. `windows` holds every comparison so far.

    >>> monitor = DriftMonitor(DriftReference.load("drift_reference.json"))  # doctest: +SKIP
    >>> monitor.watch(images, detector.predict_batch(images))  # doctest: +SKIP
    ()
    """

    def __init__(self, reference: DriftReference, settings: DriftSettings | None = None) -> None:
        self.reference = reference
        self.settings = settings or reference.settings
        self.windows: list[Window] = []
        self._waiting: list[Observations] = []
        self._seen = 0

    @property
    def level(self) -> float:
        """The p-value under which one statistic raises an alarm."""
        return self.settings.level / len(STATISTICS)

    def watch(self, images: Sequence[NDArray[np.uint8]], predictions: Sequence[Prediction]) -> tuple[DriftAlarm, ...]:
        """Take images of any size with what the detector said of them; returns the alarms of windows now full.

        Raises InputError for predictions that were made without an operating point.
        """
        if not images:
            return ()
        if any(prediction.decision is None for prediction in predictions):
            raise InputError("drift: expected predictions with a decision: give the detector its operating point")
        size, channels = self.reference.size, self.reference.channels
        return self.add(
            observe(
                np.stack([fit_image(image, size=size, channels=channels) for image in images]),
                [prediction.heat for prediction in predictions],
                np.array([prediction.score for prediction in predictions]),
                np.array([prediction.decision is not Decision.ACCEPT for prediction in predictions]),
            )
        )

    def add(self, observed: Observations) -> tuple[DriftAlarm, ...]:
        """The same for images already observed."""
        self._waiting.append(observed)
        alarms: list[DriftAlarm] = []
        while sum(map(len, self._waiting)) >= self.settings.window:
            waiting = joined(self._waiting)
            alarms += self._compare(waiting.rows(slice(self.settings.window)))
            self._waiting = [waiting.rows(slice(self.settings.window, None))]
        return tuple(alarms)

    def finish(self) -> tuple[DriftAlarm, ...]:
        """Compare what is left as a smaller window: the tests hold for any number of images."""
        left = joined(self._waiting) if self._waiting else None
        self._waiting = []
        return self._compare(left) if left is not None and len(left) > 0 else ()

    def _compare(self, observed: Observations) -> tuple[DriftAlarm, ...]:
        from scipy.stats import fisher_exact, ks_2samp

        reference = self.reference
        statistics = reference.measure(observed)
        sizes, p_values, middles = {}, {}, {}
        for name in MEASURED:
            test = ks_2samp(statistics[name], reference.values[name])
            sizes[name], p_values[name] = float(test.statistic), float(test.pvalue)
            middles[name] = float(np.median(statistics[name])), float(np.median(reference.values[name]))
        table = [[int(stopped.sum()), int((~stopped).sum())] for stopped in (observed.stopped, reference.stopped)]
        shares = float(observed.stopped.mean()), float(reference.stopped.mean())
        sizes[STOPPED], p_values[STOPPED] = abs(shares[0] - shares[1]), float(fisher_exact(table).pvalue)
        middles[STOPPED] = shares
        number, first = len(self.windows), self._seen
        self._seen += len(observed)
        alarms = tuple(
            DriftAlarm(number, first, self._seen - 1, name, sizes[name], p_values[name], self.level, *middles[name])
            for name in STATISTICS
            if p_values[name] <= self.level
        )
        self.windows.append(Window(number, len(observed), sizes, p_values, alarms))
        return alarms
