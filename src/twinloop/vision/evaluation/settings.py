"""Settings of the evaluation, in a module that imports in no time: composing a configuration must stay quick."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.contracts.curve_settings import CurveSettings, PartCosts, Share
from twinloop.learning.drift_settings import DriftSettings
from twinloop.learning.settings import ExportSettings

# The 95 % quantile of fewer draws is about their maximum.
LEAST_DRAWS = 40
Method = Literal["heat", "attention", "network", "rollout", "gradcam"]


@settings
class DetectorExportSettings(ExportSettings):
    """Which graph of a detector is deployed, and what FP16 and INT8 may change on real validation images.

    auroc_drop: AUROC that they may lose. rank_correlation: the least of their scores with torch's. changed_decisions:
        the largest share of decisions that differ at the threshold that separates the validation images best, and of
        images that are unlike anything learnt for one graph alone.
    unlike_false_alarms: share of good pictures that may be called unlike anything learnt.
    """

    auroc_drop: Share = 0.01
    rank_correlation: Share = 0.98
    changed_decisions: Share = 0.02
    unlike_false_alarms: Annotated[float, Field(gt=0, lt=0.5)] = 0.01


@settings
class ExplanationSettings:
    """Which maps of where the detector looks are scored, and on how much.

    methods: heat (the detector's own map), attention (what its head pooled by), rollout (attention of a Swin or ViT
        encoder), gradcam (for convolutional ones), network (rollout or GradCAM, whichever suits the encoder). The
        last three load torch and the trained network, some seconds; a one-class detector has its heat map alone.
    images: defective test images on which they are scored, at most.
    steps: of the deletion and the insertion curve, each one pass of the graph over these images per map.
    blur: deviation of the Gaussian that makes the baseline image, as a share of the image's side.
    """

    methods: tuple[Method, ...] = ("heat", "attention", "network")
    images: Annotated[int, Field(ge=1, le=10_000_000)] = 48
    steps: Annotated[int, Field(ge=2, le=200)] = 10
    blur: Annotated[float, Field(gt=0, le=1)] = 0.1

    def __post_init__(self) -> None:
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise ValueError("methods: expected at least one, each once")


@settings
class EvaluateSettings(CurveSettings):
    """How a detector is measured and at which thresholds it is run.

    max_escapes_ppm: the thresholds must keep escapes among shipped parts under this, with 95 % confidence; None: cost
        alone decides.
    unmet_limit: what to do where no thresholds keep it: report (take those of least cost and say so) or stop.
    heat_threshold: defect probability from which a pixel counts as defective.
    false_alarm_rate: of good images, at most, where validation holds no real defect to choose thresholds by.
    takt_min: minutes between two parts at the camera, against which latency is held; None: not known.
    examples: images per class kept for figures.
    threads: of ONNX Runtime; fixed, so that results repeat.
    """

    costs: PartCosts = PartCosts()
    max_escapes_ppm: Annotated[float, Field(gt=0, lt=1e6)] | None = None
    unmet_limit: Literal["report", "stop"] = "report"
    reinspection: bool = True
    heat_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    false_alarm_rate: Annotated[float, Field(gt=0, le=0.5)] = 0.01
    takt_min: Annotated[float, Field(gt=0)] | None = None
    explanations: ExplanationSettings = ExplanationSettings()
    drift: DriftSettings = DriftSettings()
    examples: Annotated[int, Field(ge=1, le=1_000)] = 4
    threads: Annotated[int, Field(ge=1, le=1_024)] = 1

    def __post_init__(self) -> None:
        if self.max_escapes_ppm is not None and self.draws < LEAST_DRAWS:
            raise ValueError(f"max_escapes_ppm needs draws ≥ {LEAST_DRAWS}: fewer say nothing about 95 % confidence")
