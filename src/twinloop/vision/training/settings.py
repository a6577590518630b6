"""Settings of a detector's training, apart from the code that needs torch: composing must stay quick."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.learning.settings import FitSettings, StudySettings

Share = Annotated[float, Field(ge=0, le=1)]
SMALLEST_CROP_PX = 32
# The label of a defect of which nothing is known but that it is one.
UNKNOWN = -1


@settings
class AugmentationSettings:
    """How training images are made to vary; `*_share` is the share of images a change is made to, 0 leaves it out.

    symmetries: none, mirror (left-right and up-down), or square (all eight symmetries of the square).
    exposure: largest relative change of brightness and of contrast. lamp: strongest relative gradient of light.
    noise: largest standard deviation, of full scale. blur_px: largest standard deviation of the Gaussian.
    turn_deg, scale, shift: largest rotation, relative change of size, and displacement as a share of the side.
    holes: at most so many rectangles of at most `hole_side` (share of the image's side) are blanked.
    """

    symmetries: Literal["none", "mirror", "square"] = "square"
    exposure: Annotated[float, Field(ge=0, lt=1)] = 0.15
    exposure_share: Share = 0.5
    lamp: Annotated[float, Field(ge=0.02, le=0.2)] = 0.15
    lamp_share: Share = 0.3
    noise: Annotated[float, Field(ge=0.005, le=1)] = 0.03
    noise_share: Share = 0.3
    blur_px: Annotated[float, Field(ge=0.2, le=5)] = 0.7
    blur_share: Share = 0.2
    turn_deg: Annotated[float, Field(ge=0, le=180)] = 10.0
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.1
    shift: Annotated[float, Field(ge=0, lt=0.5)] = 0.05
    affine_share: Share = 0.0
    holes: Annotated[int, Field(ge=1, le=10_000)] = 4
    hole_side: Annotated[float, Field(gt=0.01, le=0.5)] = 0.1
    holes_share: Share = 0.0


@settings
class DetectorStudySettings(StudySettings):
    """How a detector's settings are searched: short trainings on a share of the parts, judged by validation AP.

    objectives: ap alone, or ap against latency: then trials are not pruned, and of those that nothing beats in both
        the best within `latency_budget_ms` is chosen, without a budget the knee. Measured latency differs from run to
        run, so a study of both does not repeat itself exactly.
    latency_runs: timed calls per trial. epochs: of each trial. share: of the training parts.
    """

    objectives: tuple[Literal["ap", "latency"], ...] = ("ap",)
    latency_budget_ms: Annotated[float, Field(gt=0)] | None = None
    latency_runs: Annotated[int, Field(ge=10, le=1_000_000)] = 200
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 8
    share: Annotated[float, Field(gt=0, le=1)] = 0.4

    def __post_init__(self) -> None:
        if self.objectives not in (("ap",), ("ap", "latency")):
            raise ValueError("objectives: expected [ap] or [ap, latency]")
        if self.latency_budget_ms is not None and "latency" not in self.objectives:
            raise ValueError("a latency_budget_ms needs the objectives [ap, latency]")


@settings
class TrainSettings(FitSettings):
    """How a detector is trained. The learning rate rises linearly over `warmup`, then falls along a cosine.

    repeats: how often an epoch shows every image. balance: none; classes, all of them equally often; or halves, as
        many good images as defective ones, whose classes come equally often. An epoch keeps its length.
    crop_px: side of the pieces that are cut from images held at model.size_px; 0 shows them whole. `defect_crops` of
        the pieces from defective images lie near a defect; a piece that shows none counts as good.
    paste: share of the good images that get a defect pasted on, at training only, from `paste_source`: real (cut out
        of other training images), synthetic (rendered, its class unknown) or both. kind simulated always pastes
        synthetic ones, on half of the images where `paste` is 0.
    loss_*: weights of the summed losses; pixel_weight multiplies the cross-entropy of defective pixels, tversky_alpha
        and _beta weigh false and missed pixels, class_weights inverse makes rare classes count as much as frequent.
    """

    batch_size: Annotated[int, Field(ge=2, le=1_000_000)] = 32
    repeats: Annotated[int, Field(ge=1, le=100_000)] = 1
    balance: Literal["none", "classes", "halves"] = "none"
    crop_px: Annotated[int, Field(ge=0, multiple_of=4)] = 0
    defect_crops: Share = 0.75
    paste: Share = 0.0
    paste_source: Literal["real", "synthetic", "both"] = "real"
    learning_rate: Annotated[float, Field(gt=0)] = 6e-3
    weight_decay: Annotated[float, Field(ge=0)] = 3e-2
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    loss_classes: Annotated[float, Field(ge=0)] = 0.5
    class_weights: Literal["equal", "inverse"] = "equal"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    loss_cross_entropy: Annotated[float, Field(ge=0)] = 1.0
    pixel_weight: Annotated[float, Field(gt=0)] = 1.0
    loss_focal: Annotated[float, Field(ge=0)] = 1.0
    focal_gamma: Annotated[float, Field(ge=0)] = 2.0
    loss_dice: Annotated[float, Field(ge=0)] = 1.0
    loss_tversky: Annotated[float, Field(ge=0)] = 0.0
    tversky_alpha: Annotated[float, Field(ge=0)] = 0.3
    tversky_beta: Annotated[float, Field(ge=0)] = 0.7

    def __post_init__(self) -> None:
        if 0 < self.crop_px < SMALLEST_CROP_PX:
            raise ValueError(f"crop_px = {self.crop_px}: expected 0 (whole images) or at least {SMALLEST_CROP_PX}")
