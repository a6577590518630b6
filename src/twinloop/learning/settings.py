"""Settings of studies and exports, apart from the code that needs torch: composing a configuration must stay quick."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings


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


@settings
class FitSettings:
    """How a LightningModule is fitted. `patience` epochs without a better validation figure end the run.

    threads: of torch on the CPU. Sums in another order change the last digits, so the number is fixed.
    """

    epochs: Annotated[int, Field(ge=1)] = 40
    patience: Annotated[int, Field(ge=1)] = 40
    gradient_clip: Annotated[float, Field(ge=0)] = 1.0
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: Annotated[int, Field(ge=1)] = 1
    strategy: Literal["auto", "ddp"] = "auto"
    threads: Annotated[int, Field(ge=1)] = 1


@settings
class StudySettings:
    """How an Optuna study searches; `trials: 0` uses the configured values.

    Trials are asked and told in rounds of `batch`, in trial order, so that the result does not depend on the number
    of workers. With `storage` (a database address) several machines share one study and run free of that order.
    """

    trials: Annotated[int, Field(ge=0)] = 12
    batch: Annotated[int, Field(ge=1)] = 2
    epochs: Annotated[int, Field(ge=1)] = 8
    share: Annotated[float, Field(gt=0, le=1)] = 0.4
    warmup_trials: Annotated[int, Field(ge=0)] = 4
    warmup_epochs: Annotated[int, Field(ge=0)] = 2
    retries: Annotated[int, Field(ge=0)] = 2
    heartbeat_s: Annotated[int, Field(ge=1)] = 5
    storage: str = ""


@settings
class ExportSettings:
    """Which graph is deployed and what it must fulfil against torch on real validation images.

    format: fp32, int8, or auto: INT8 when it stays within its limits, else FP32. Never decided by measured time, so
        that the same parameters deploy the same graph; latency.json says whether INT8 pays.
    fp32_tolerance: largest absolute difference of any raw output; 2e-4 in a logit is 0.02 % of the odds.
    fp16_tolerance: the same for the half-precision graph that TensorRT is given.
    int8_auroc_drop, int8_rank_correlation, int8_changed_decisions: limits of the quantised graph: what it may lose of
        the AUROC, the least rank correlation of its scores, the largest share of decisions that differ at the
        threshold that separates the validation images best.
    """

    format: Literal["auto", "fp32", "int8"] = "fp32"
    opset: Annotated[int, Field(ge=20)] = 20
    calibration_images: Annotated[int, Field(ge=1)] = 128
    parity_images: Annotated[int, Field(ge=2)] = 256
    fp32_tolerance: Annotated[float, Field(gt=0)] = 2e-4
    fp16_tolerance: Annotated[float, Field(gt=0)] = 0.1
    int8_auroc_drop: Annotated[float, Field(ge=0, le=1)] = 0.01
    int8_rank_correlation: Annotated[float, Field(ge=0, le=1)] = 0.98
    int8_changed_decisions: Annotated[float, Field(ge=0, le=1)] = 0.02
    tensorrt: bool = True
    latency_runs: Annotated[int, Field(ge=10)] = 200
    latency_warmup: Annotated[int, Field(ge=0)] = 20
    threads: Annotated[int, Field(ge=1)] = 1
