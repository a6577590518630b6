"""The network among the members of a hazard model: all components and days at once, fitted by the survival likelihood.

Apart from `hazard`, which is used without torch where trees are enough.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.periods import Course
from twinloop.prognostics.models.sequences import TemporalNetwork, fit_network, logits
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.table import FeatureTable

Floats = NDArray[np.float64]


class HazardNetwork:
    """Fits the network of all components to the courses of rows, and says what it does of units unseen."""

    def __init__(
        self, table: FeatureTable, signals: tuple[str, ...], courses: list[Course], settings: HazardSettings, seed: int
    ) -> None:
        self.sequences = Sequences.of(table.selected(signals), table.unit)
        # [N, C, D]: 1 failed, 0 survived, −1 not known.
        states = [np.where(one.failed, 1, np.where(one.survived, 0, -1)) for one in courses]
        self.target = np.stack(states, axis=1).astype(np.float32)
        self.settings, self.seed = settings, seed

    def fitted(self, rows: NDArray[np.int64], seed: int) -> TemporalNetwork:
        """Of those of the rows of which anything is known."""
        rows = rows[(self.target[rows] >= 0).any(axis=(1, 2))]
        _, components, days = self.target.shape
        return fit_network(
            self.sequences,
            rows,
            self.target[rows],
            _survival_loss,
            self.settings.network,
            outputs=components * days,
            seed=seed,
        )

    def odds(self, module: TemporalNetwork) -> Callable[[Sequences, NDArray[np.int64]], Floats]:
        """The network as a function of windows: log odds [N, C, D]."""
        _, components, days = self.target.shape
        return lambda sequences, rows: logits(module, sequences, rows, self.settings.network).reshape(
            len(rows), components, days
        )

    def out_of_fold(self, fold: NDArray[np.int64]) -> Floats:
        """[N, C, D] log odds of every row by a network that never saw its unit."""
        odds = np.empty(self.target.shape)
        for number in range(self.settings.folds):
            module = self.fitted(np.flatnonzero(fold != number), self.seed * 1000 + number)
            held = np.flatnonzero(fold == number)
            odds[held] = self.odds(module)(self.sequences, held)
        return odds


def _survival_loss(answer: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean negative log likelihood of the days that are known (Gensheimer and Narasimhan, 2019)."""
    target = target.flatten(1)
    known = (target >= 0).float()
    each = functional.binary_cross_entropy_with_logits(answer, target.clamp(min=0.0), reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1.0)
