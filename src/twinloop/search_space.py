"""Quantities that a search may vary, as settings and as Optuna's distributions.

Below learning and replication, as both search: hyperparameters of a model, knobs of a simulated system.
"""

from typing import TYPE_CHECKING, Literal

from twinloop.config import settings

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@settings
class Dimension:
    """One searched quantity: a range (`low`, `high`, on a log scale if `log`) or a list of `choices`."""

    kind: Literal["float", "int", "categorical"]
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[int | float | str | bool, ...] = ()

    def __post_init__(self) -> None:
        if self.kind == "categorical":
            if not self.choices or self.low is not None or self.high is not None or self.log:
                raise ValueError("a categorical dimension needs a list of choices and neither low, high nor log")
            return
        if self.choices or self.low is None or self.high is None or self.low > self.high:
            raise ValueError(f"a dimension of kind {self.kind} needs low ≤ high and no choices")
        if self.log and self.low <= 0:
            raise ValueError("a log scale needs low > 0")
        if self.kind == "int" and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError("a dimension of kind int needs whole numbers as low and high")

    @property
    def extremes(self) -> tuple[int | float | str | bool, ...]:
        """The values at the border of the space: what settings must accept for the whole space to be valid."""
        if self.kind == "categorical":
            return self.choices
        low, high = self._range()
        return (int(low), int(high)) if self.kind == "int" else (low, high)

    def holds(self, value: object) -> bool:
        """Whether `value` lies in this dimension."""
        if self.kind == "categorical":
            return any(type(value) is type(choice) and value == choice for choice in self.choices)
        low, high = self._range()
        number = int if self.kind == "int" else (int, float)
        return isinstance(value, number) and not isinstance(value, bool) and low <= value <= high

    def _range(self) -> tuple[float, float]:
        if self.low is None or self.high is None:
            raise ValueError("a categorical dimension has no range")
        return self.low, self.high


def distribution(dimension: Dimension) -> "BaseDistribution":
    """What Optuna draws the quantity from: its range, or its list of choices."""
    # Where it is needed: composing a configuration reads dimensions too, and must stay quick.
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.kind == "categorical":
        return CategoricalDistribution(dimension.choices)
    low, high = dimension.extremes
    if dimension.kind == "int":
        return IntDistribution(int(low), int(high), log=dimension.log)
    return FloatDistribution(float(low), float(high), log=dimension.log)
