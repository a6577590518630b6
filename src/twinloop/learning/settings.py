"""Settings of studies and exports, apart from the code that needs torch: composing a configuration must stay quick."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from twinloop.config import settings
from twinloop.config.schema import Unfit
from twinloop.search_space import Dimension

Settings = TypeVar("Settings", bound=Any)


def varied(given: Settings, values: Mapping[str, Any], *, fixed: Collection[str] = ()) -> Settings:
    """The settings `given` with the searched `values` put in; they are checked again.

    Raises ValueError for a name that is no field of them or is `fixed`, and for a value that they refuse.
    """
    known = [field.name for field in dataclasses.fields(given) if field.name not in fixed]
    for name in values:
        if name not in known:
            raise ValueError(f"nothing of that name can be searched; known: {', '.join(known)}")
    return dataclasses.replace(given, **values)


def require_valid_space(given: Any, space: Mapping[str, Dimension], *, name: str, fixed: Collection[str] = ()) -> None:
    """Raise ValueError unless the settings `given` take every value at the border of `space`, called `name`."""
    for key, dimension in space.items():
        for value in dimension.extremes:
            try:
                varied(given, {key: value}, fixed=fixed)
            except (ValueError, TypeError) as error:
                faults = error.faults if isinstance(error, Unfit) else ()
                reason = faults[0].expected if faults else str(error).splitlines()[0]
                raise ValueError(f"{name}.{key} = {value!r}: {reason}") from None


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

    Trials are asked and told in rounds of `batch`, in trial order, so that the result does not depend on the number
    of workers. With `storage` (a database address) several machines share one study and run free of that order.
    warmup_trials: random ones, before the search learns and prunes. warmup_epochs: of each trial, before it may be
    pruned. retries: of a trial whose process was killed.
    """

    trials: Annotated[int, Field(ge=0, le=1_000_000)] = 12
    batch: Annotated[int, Field(ge=1, le=10_000)] = 2
    warmup_trials: Annotated[int, Field(ge=0, le=1_000_000)] = 4
    warmup_epochs: Annotated[int, Field(ge=0, le=1_000_000)] = 2
    retries: Annotated[int, Field(ge=0, le=1_000)] = 2
    heartbeat_s: Annotated[int, Field(ge=1, le=86_400)] = 5
    storage: str = ""


@settings
class ExportSettings:
    """Which graph is deployed and what it must fulfil against torch on real validation samples.

    format: fp32, fp16, int8, or auto: the fastest of those within their limits, if its median latency beats FP32's
        by `least_speedup`. auto alone lets measured time decide, so it may deploy another graph on another machine;
        with a named format the same parameters deploy the same graph everywhere.
    fp32_tolerance: largest difference of any raw output at every batch size of `parity_batches`, relative for values
        beyond ±1; 2e-4 in a logit is 0.02 % of the odds.
    calibration: how INT8's ranges follow from the activations: their extremes, the least loss of information
        (entropy), or all but the most extreme 0.001 % (percentile).
    tensorrt: `engine` builds engines where an NVIDIA GPU and the package are present, `files` writes the graphs for
        TensorRT everywhere (another machine builds from them), `none` does neither.
    """

    format: Literal["fp32", "fp16", "int8", "auto"] = "fp32"
    least_speedup: Annotated[float, Field(ge=1)] = 1.1
    opset: Annotated[int, Field(ge=20, le=23)] = 20
    calibration: Literal["minmax", "entropy", "percentile"] = "minmax"
    calibration_samples: Annotated[int, Field(ge=1, le=10_000_000)] = 128
    parity_samples: Annotated[int, Field(ge=2, le=10_000_000)] = 256
    parity_batches: Annotated[tuple[Annotated[int, Field(ge=1, le=65_536)], ...], Field(min_length=1)] = (1, 2, 7, 32)
    fp32_tolerance: Annotated[float, Field(gt=0)] = 2e-4
    tensorrt: Literal["engine", "files", "none"] = "engine"
    latency_runs: Annotated[int, Field(ge=10, le=1_000_000)] = 200
    latency_warmup: Annotated[int, Field(ge=0, le=1_000_000)] = 20
    threads: Annotated[int, Field(ge=1, le=1_024)] = 1
