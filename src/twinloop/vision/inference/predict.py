"""The detector at work: an image in, a typed finding out, whatever computes the raw outputs.

Beside the detector stands, where given, the operating point that the evaluate stage chose. Without one it reports
uncalibrated probabilities and decides nothing.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from twinloop.contracts import Decision, OperatingPoint
from twinloop.contracts.calibration import Calibration
from twinloop.errors import InputError
from twinloop.vision.datasets.tiles import fits
from twinloop.vision.inference.backends import Backend, Floats, OnnxBackend, Raw
from twinloop.vision.inference.boxes import Box, find_boxes
from twinloop.vision.inference.pictures import Pixels, check_pixels
from twinloop.vision.resizing import resize_image
from twinloop.vision.scores import most_likely, probability, upscale

UNCALIBRATED = Calibration(method="platt", share=0.5)
# What a defect is called by a detector that only tells good from defective.
UNNAMED = "defect"
UNLIKE = "unlike anything learnt"
# How many times wider or higher than every picture learnt one may be: squashed further, its content is another.
STRETCH = 1.5


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the detector says about one image.

    defect_type: "good" for an accepted part, else the most likely defect class ("defect" where the detector names
    none). confidence: calibrated probability of that statement. defect_probability: of any defect, at the line's
    defect rate. score: raw log odds. decision: None without an operating point. boxes: (x, y, width, height) in pixels
    of the original image around regions of the heat map, the hottest first. heat: [h, w] defect probabilities at the
    model's resolution. size: (height, width) of the original image. inference_ms: from array in to finding out, per
    image. unlike: how far the picture lies from those learnt; reason: why it is looked at again whatever else is said,
    empty where it is like them.
    """

    defect_type: str
    confidence: float
    defect_probability: float
    score: float
    decision: Decision | None
    boxes: tuple[Box, ...]
    heat: NDArray[np.float32]
    size: tuple[int, int]
    inference_ms: float
    unlike: float = 0.0
    reason: str = ""

    def heat_map_at(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """The heat map interpolated to (height, width)."""
        return upscale(self.heat, size)

    @cached_property
    def heat_map(self) -> NDArray[np.float32]:
        """The heat map at the original image's size, interpolated on first access: it costs more than it seems."""
        return self.heat_map_at(self.size)


@dataclass(frozen=True)
class Verdict:
    """What is said about one image apart from the place: the fields of `Prediction` of the same names."""

    defect_type: str
    confidence: float
    defect_probability: float
    score: float
    decision: Decision | None
    unlike: float
    reason: str


class DeployedDetector:
    """A detector as it is deployed.

    source: what the export stage wrote, run by ONNX Runtime on `threads` threads; or any backend.
    operating_point: operating_point.json of the evaluate stage; one of another model is refused with InputError.
    graph_format: a format that spec.json lists; by default the deployed one.

    >>> detector = DeployedDetector("models/factory/onnx")  # doctest: +SKIP
    >>> detector.predict(image).decision  # doctest: +SKIP
    """

    def __init__(
        self,
        source: str | Path | Backend,
        *,
        operating_point: str | Path | None = None,
        graph_format: str | None = None,
        threads: int = 1,
    ) -> None:
        if isinstance(source, str | Path):
            source = OnnxBackend(source, graph_format=graph_format, threads=threads)
        self.backend, about = source, source.about
        self.classes, self.image_size, self.channels = about.classes, about.size, about.channels
        self.heat_threshold = 0.5
        self._calibration = UNCALIBRATED
        self._thresholds: tuple[float, float] | None = None
        if operating_point is not None:
            self._use(operating_point)

    @property
    def format(self) -> str:
        """What runs: a graph format (fp32, int8 …), torch, or tensorrt-fp16."""
        return self.backend.name

    def predict(self, image: Pixels) -> Prediction:
        """Judge one uint8 image [H, W] or [H, W, 1 or 3] of any size. Raises InputError for anything else."""
        return self.predict_batch((image,))[0]

    def predict_batch(self, images: Sequence[Pixels]) -> list[Prediction]:
        """Judge images of any sizes in one call of the model; those larger than the tiles it learnt from one by one."""
        if not images:
            return []
        if any(self.cuts(image.shape) for image in images):
            return [self._judged(image) for image in images]
        start = time.perf_counter()
        raw = self.backend(self.batch_of(images))
        heats = probability(raw.heat[:, 0])
        verdicts = self.judge(raw.logits, raw.unlike, sizes=[(image.shape[0], image.shape[1]) for image in images])
        boxes = [
            find_boxes(place, threshold=self.heat_threshold, size=(image.shape[0], image.shape[1]))
            for place, image in zip(heats, images, strict=True)
        ]
        elapsed_ms = (time.perf_counter() - start) * 1e3 / len(images)
        return [
            Prediction(
                **vars(verdict),
                boxes=boxes[place],
                heat=heats[place],
                size=(images[place].shape[0], images[place].shape[1]),
                inference_ms=elapsed_ms,
            )
            for place, verdict in enumerate(verdicts)
        ]

    def cuts(self, shape: Sequence[int]) -> bool:
        """Whether an image of this shape (height, width, …) is judged in tiles."""
        side = self.backend.about.tile_px
        return side > 0 and not fits(shape[0], shape[1], side)

    def _judged(self, image: Pixels) -> Prediction:
        # Tiles are stitched by a module that needs this one.
        from twinloop.vision.inference.large import predict_large

        if not self.cuts(image.shape):
            return self.predict_batch((image,))[0]
        return predict_large(self, image, tile_px=self.backend.about.tile_px)

    def batch_of(self, images: Sequence[Pixels]) -> Floats:
        """float32 [N, C, size, size] in 0…1, what the backend takes, from images of any size."""
        batch = np.empty((len(images), self.channels, self.image_size, self.image_size), np.float32)
        for place, image in enumerate(images):
            pixels = fit_image(image, size=self.image_size, channels=self.channels)
            batch[place] = pixels.transpose(2, 0, 1)
        batch /= np.float32(255)
        return batch

    def raw(self, pixels: Pixels) -> Raw:
        """Raw outputs for images [N, size, size, C] of the model's size."""
        return self.backend(to_input(pixels))

    def judge(self, logits: Floats, unlike: Floats, *, sizes: Sequence[tuple[int, int]] = ()) -> list[Verdict]:
        """What class logits [N, K] and unlike scores [N] mean at the operating point.

        sizes: (height, width) of the images, where each was brought to the model's shape as a whole.
        """
        whole: Sequence[tuple[int, int] | None] = sizes or [None] * len(unlike)
        strange = [self._strange(score, size) for score, size in zip(unlike.tolist(), whole, strict=True)]
        likeliest = [most_likely(row) for row in logits.tolist()]
        probabilities = self._calibration.probability(np.array([score for score, _, _ in likeliest])).tolist()
        return [
            self._verdict(*row, chance, *beyond)
            for row, chance, beyond in zip(likeliest, probabilities, strange, strict=True)
        ]

    def decide(self, defect_probability: float) -> Decision | None:
        """Accept below the first threshold, reject from the second, look again between them."""
        if self._thresholds is None:
            return None
        accept_below, reject_from = self._thresholds
        if defect_probability < accept_below:
            return Decision.ACCEPT
        return Decision.REJECT if defect_probability >= reject_from else Decision.REINSPECT

    def _strange(self, score: float, size: tuple[int, int] | None) -> tuple[float, str]:
        """The unlike score, a strange shape counted in, and the reason to look again; "" where there is none."""
        learnt = self.backend.about.learnt
        if learnt is None:
            return score, ""
        reason = f"score {score:.3g}, limit {learnt.limit:.3g}"
        if size is not None:
            (height, width), (low, high) = size, learnt.shapes
            stretch = max(low * height / width, width / height / high)
            # As far beyond the limit as the shape is beyond what is tolerated.
            shaped = learnt.limit * math.log(max(stretch, 1)) / math.log(STRETCH)
            if shaped > max(score, learnt.limit):
                shapes = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
                score, reason = shaped, f"{width} × {height} pixels, learnt were widths of {shapes} heights"
        return score, f"{UNLIKE}: {reason}" if not score <= learnt.limit else ""

    def _verdict(
        self, score: float, kind: int, share: float, defect_probability: float, unlike: float, reason: str
    ) -> Verdict:
        decision = self.decide(defect_probability)
        if reason and decision is not None:
            decision = Decision.REINSPECT
        kinds = (self.classes[1 + kind], share) if self.backend.about.names_defects else (UNNAMED, 1.0)
        said, confidence = kinds[0], defect_probability * kinds[1]
        if defect_probability < 0.5 if decision is None else decision is Decision.ACCEPT:
            said, confidence = self.classes[0], 1 - defect_probability
        return Verdict(said, confidence, defect_probability, score, decision, unlike, reason)

    def _use(self, path: str | Path) -> None:
        point = OperatingPoint.load(path)
        if point.classes != self.classes:
            raise InputError(
                f"model: {path}: made for the classes {', '.join(point.classes)}, the model has "
                f"{', '.join(self.classes)}: run the evaluate stage again"
            )
        if point.model != self.backend.about.model:
            raise InputError(
                f"model: {path}: measured on graph {point.model[:12]}, this is "
                f"{self.backend.about.model[:12] or 'a detector without a graph'} ({self.format}): run the evaluate "
                "stage again, or use the graph that it judged"
            )
        self._calibration = Calibration.from_record(dict(point.calibration))
        self._thresholds = (float(point.accept_below), float(point.reject_from))
        self.heat_threshold = float(point.heat_threshold)


def fit_image(image: Pixels, *, size: int, channels: int) -> Pixels:
    """[size, size, channels] from uint8 [H, W] or [H, W, 1 or 3], resized as the dataset is: area average to shrink."""
    check_pixels(image)
    given = 1 if image.ndim == 2 else image.shape[2]
    if image.shape[:2] == (size, size) and given == channels:
        return image.reshape(size, size, channels)
    picture = Image.fromarray(image[..., 0] if image.ndim == 3 and given == 1 else image)
    picture = picture.convert("L" if channels == 1 else "RGB")
    return np.asarray(resize_image(picture, size)).reshape(size, size, channels)


def to_input(pixels: Pixels) -> Floats:
    """float32 [N, C, H, W] in 0…1, what every backend takes, from uint8 [N, H, W, C]."""
    return np.divide(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), np.float32(255), dtype=np.float32)
