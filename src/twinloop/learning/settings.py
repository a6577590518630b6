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

    keep: the weights of the best epoch, or of the last, whatever the patience: where validation images are few, the
        best epoch is chance.
    accumulate: batches per step of the optimiser. ema: decay per step of the averaged weights that are validated and
        kept (Polyak and Juditsky, 1992); 0 keeps the plain ones. precision: 16-mixed needs a GPU.
    deterministic: only kernels whose results repeat; a GPU may be quicker without.
    threads: of torch on the CPU. Sums in another order change the last digits, so the number is fixed.
    profiler: where the time goes, in a text file: simple (per hook) or advanced (per function).
    system_metrics: processor, memory and GPU are measured beside the run and stand on its page in MLflow.
    """

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 40
    patience: Annotated[int, Field(ge=1, le=1_000_000)] = 40
    keep: Literal["best", "last"] = "best"
    gradient_clip: Annotated[float, Field(ge=0)] = 1.0
    accumulate: Annotated[int, Field(ge=1, le=100_000)] = 1
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: Annotated[int, Field(ge=1, le=1_024)] = 1
    strategy: Literal["auto", "ddp"] = "auto"
    threads: Annotated[int, Field(ge=1, le=1_024)] = 1
    deterministic: bool = True
    profiler: Literal["none", "simple", "advanced"] = "none"
    system_metrics: bool = False


@settings
class StudySettings:
    """How an Optuna study searches; `trials: 0` uses the configured values.

    objectives: ap alone, or ap against latency: then trials are not pruned, and of those that nothing beats in both
        the best within `latency_budget_ms` is chosen, without a budget the knee. Measured latency differs from run to
        run, so a study of both does not repeat itself exactly.
    Trials are asked and told in rounds of `batch`, in trial order, so that the result does not depend on the number
    of workers. With `storage` (a database address) several machines share one study and run free of that order.
    """

    trials: Annotated[int, Field(ge=0, le=1_000_000)] = 12
    objectives: tuple[Literal["ap", "latency"], ...] = ("ap",)
    latency_budget_ms: Annotated[float, Field(gt=0)] | None = None
    latency_runs: Annotated[int, Field(ge=10, le=1_000_000)] = 200
    batch: Annotated[int, Field(ge=1, le=10_000)] = 2
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 8
    share: Annotated[float, Field(gt=0, le=1)] = 0.4
    warmup_trials: Annotated[int, Field(ge=0, le=1_000_000)] = 4
    warmup_epochs: Annotated[int, Field(ge=0, le=1_000_000)] = 2
    retries: Annotated[int, Field(ge=0, le=1_000)] = 2
    heartbeat_s: Annotated[int, Field(ge=1, le=86_400)] = 5
    storage: str = ""

    def __post_init__(self) -> None:
        if self.objectives not in (("ap",), ("ap", "latency")):
            raise ValueError("objectives: expected [ap] or [ap, latency]")
        if self.latency_budget_ms is not None and "latency" not in self.objectives:
            raise ValueError("a latency_budget_ms needs the objectives [ap, latency]")


@settings
class ExportSettings:
    """Which graph is deployed and what it must fulfil against torch on real validation images.

    format: fp32, fp16, int8, or auto: the fastest of those within their limits, if its median latency beats FP32's
        by `least_speedup`. auto alone lets measured time decide, so it may deploy another graph on another machine;
        with a named format the same parameters deploy the same graph everywhere.
    fp32_tolerance: largest difference of any raw output at every batch size of `parity_batches`, relative for values
        beyond ±1; 2e-4 in a logit is 0.02 % of the odds.
    auroc_drop, rank_correlation, changed_decisions: limits of FP16 and INT8: what they may lose of the AUROC, the
        least rank correlation of their scores, the largest share of decisions that differ at the threshold that
        separates the validation images best.
    calibration: how INT8's ranges follow from the activations: their extremes, the least loss of information
        (entropy), or all but the most extreme 0.001 % (percentile).
    tensorrt: `engine` builds engines where an NVIDIA GPU and the package are present, `files` writes the graphs for
        TensorRT everywhere (another machine builds from them), `none` does neither.
    """

    format: Literal["fp32", "fp16", "int8", "auto"] = "fp32"
    least_speedup: Annotated[float, Field(ge=1)] = 1.1
    opset: Annotated[int, Field(ge=20, le=23)] = 20
    calibration: Literal["minmax", "entropy", "percentile"] = "minmax"
    calibration_images: Annotated[int, Field(ge=1, le=10_000_000)] = 128
    parity_images: Annotated[int, Field(ge=2, le=10_000_000)] = 256
    parity_batches: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (1, 2, 7, 32)
    fp32_tolerance: Annotated[float, Field(gt=0)] = 2e-4
    auroc_drop: Annotated[float, Field(ge=0, le=1)] = 0.01
    rank_correlation: Annotated[float, Field(ge=0, le=1)] = 0.98
    changed_decisions: Annotated[float, Field(ge=0, le=1)] = 0.02
    tensorrt: Literal["engine", "files", "none"] = "engine"
    latency_runs: Annotated[int, Field(ge=10, le=1_000_000)] = 200
    latency_warmup: Annotated[int, Field(ge=0, le=1_000_000)] = 20
    threads: Annotated[int, Field(ge=1, le=1_024)] = 1
