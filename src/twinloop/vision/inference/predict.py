"""The deployed detector: an image in, a typed finding out. ONNX Runtime only, no torch.

It reads the export stage's folder (graph and spec.json) and, where given, the operating point that the evaluate stage
chose. Without one it reports uncalibrated probabilities and decides nothing.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from twinloop.contracts import Decision
from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.learning.inference import open_graph
from twinloop.vision.evaluation.calibration import Calibration
from twinloop.vision.resizing import resize_image
from twinloop.vision.scores import anomaly_score, defect_shares, probability, upscale

SPEC_FILE = "spec.json"
Box = tuple[int, int, int, int]
Pixels = NDArray[np.uint8]
TOUCHING = np.ones((3, 3))
UNCALIBRATED = Calibration(method="platt", share=0.5)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the detector says about one image.

    defect_type: "good" for an accepted part, else the most likely defect class. confidence: calibrated probability of
    that statement. defect_probability: of any defect, at the line's defect rate. score: raw log odds.
    decision: None without an operating point. boxes: (x, y, width, height) in pixels of the original image around
    regions of the heat map, the hottest first. heat: [h, w] defect probabilities at the graph's resolution.
    size: (height, width) of the original image. inference_ms: from array in to finding out, per image.
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

    def heat_map_at(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """The heat map interpolated to (height, width)."""
        return upscale(self.heat, size)

    @cached_property
    def heat_map(self) -> NDArray[np.float32]:
        """The heat map at the original image's size, interpolated on first access: it costs more than it seems."""
        return self.heat_map_at(self.size)


class OnnxDetector:
    """A detector as it is deployed.

    folder: what the export stage wrote. operating_point: operating_point.json of the evaluate stage.
    graph_format: "fp32" or "int8"; by default the one that spec.json names as deployed.

    >>> detector = OnnxDetector("models/factory/onnx")  # doctest: +SKIP
    >>> detector.predict(image).decision  # doctest: +SKIP
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        operating_point: str | Path | None = None,
        graph_format: str | None = None,
        threads: int = 1,
    ) -> None:
        spec = read_spec(folder)
        self.format = graph_format or str(spec["deployed"])
        if self.format not in spec["files"]:
            raise InputError(
                f"model: {folder} holds no {self.format!r} graph, only {', '.join(spec['files'])}: choose one of these"
            )
        self.classes: tuple[str, ...] = tuple(spec["classes"])
        self.image_size, self.channels = int(spec["size"]), int(spec["channels"])
        self._graph = open_graph(Path(folder) / spec["files"][self.format], threads=threads)
        self._calibration, self._heat_threshold = UNCALIBRATED, 0.5
        self._thresholds: tuple[float, float] | None = None
        if operating_point is not None:
            self._use(read_json(operating_point), operating_point)

    def predict(self, image: Pixels) -> Prediction:
        """Judge one uint8 image [H, W] or [H, W, 1 or 3] of any size. Raises InputError for anything else."""
        return self.predict_batch([image])[0]

    def predict_batch(self, images: Sequence[Pixels]) -> list[Prediction]:
        """Judge images of any sizes in one call of the graph."""
        if not images:
            return []
        start = time.perf_counter()
        pixels = np.stack([fit_image(image, size=self.image_size, channels=self.channels) for image in images])
        logits, heat = self.raw(pixels)
        score = anomaly_score(logits)
        defect_probability = self._calibration.probability(score)
        shares = defect_shares(logits)
        heats = probability(heat[:, 0])
        findings = [
            self._finding(float(score[i]), float(defect_probability[i]), shares[i], heats[i], image.shape[:2])
            for i, image in enumerate(images)
        ]
        elapsed_ms = (time.perf_counter() - start) * 1e3 / len(images)
        return [Prediction(**finding, inference_ms=elapsed_ms) for finding in findings]

    def raw(self, pixels: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Raw outputs for images [N, size, size, C] of the graph's size: logits [N, K] and heat logits [N, 1, h, w]."""
        logits, heat = self._graph(to_input(pixels))
        return logits, heat

    def decide(self, defect_probability: float) -> Decision | None:
        """Accept below the first threshold, reject from the second, look again between them."""
        if self._thresholds is None:
            return None
        accept_below, reject_from = self._thresholds
        if defect_probability < accept_below:
            return Decision.ACCEPT
        return Decision.REJECT if defect_probability >= reject_from else Decision.REINSPECT

    def _finding(
        self, score: float, defect_probability: float, shares: NDArray[np.float64], heat: Any, size: tuple[int, int]
    ) -> dict[str, Any]:
        decision = self.decide(defect_probability)
        good = defect_probability < 0.5 if decision is None else decision is Decision.ACCEPT
        kind = int(np.argmax(shares))
        return {
            "defect_type": self.classes[0] if good else self.classes[1 + kind],
            "confidence": 1 - defect_probability if good else defect_probability * float(shares[kind]),
            "defect_probability": defect_probability,
            "score": score,
            "decision": decision,
            "boxes": find_boxes(heat, threshold=self._heat_threshold, size=size),
            "heat": heat,
            "size": size,
        }

    def _use(self, point: dict[str, Any], path: str | Path) -> None:
        if tuple(point["classes"]) != self.classes:
            raise InputError(
                f"model: {path}: made for the classes {', '.join(point['classes'])}, the graph has "
                f"{', '.join(self.classes)}: run the evaluate stage again"
            )
        self._calibration = Calibration.from_record(point["calibration"])
        self._thresholds = (float(point["accept_below"]), float(point["reject_from"]))
        self._heat_threshold = float(point["heat_threshold"])


def read_spec(folder: str | Path) -> dict[str, Any]:
    """spec.json of an exported detector. Raises InputError where there is none."""
    path = Path(folder) / SPEC_FILE
    if not path.is_file():
        raise InputError(f"model: {path}: expected an exported detector, found none: run the export stage first")
    spec: dict[str, Any] = read_json(path)
    return spec


def fit_image(image: Pixels, *, size: int, channels: int) -> Pixels:
    """[size, size, channels] from uint8 [H, W] or [H, W, 1 or 3], resized as the dataset is: area average to shrink."""
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3)):
        raise InputError(
            f"image: expected uint8 of shape [H, W], [H, W, 1] or [H, W, 3], got {image.dtype} of shape {image.shape}"
        )
    if 0 in image.shape:
        raise InputError(f"image: expected at least one pixel, got shape {image.shape}")
    given = 1 if image.ndim == 2 else image.shape[2]
    if image.shape[:2] == (size, size) and given == channels:
        return image.reshape(size, size, channels)
    picture = Image.fromarray(image[..., 0] if image.ndim == 3 and given == 1 else image)
    picture = picture.convert("L" if channels == 1 else "RGB")
    return np.asarray(resize_image(picture, size)).reshape(size, size, channels)


def to_input(pixels: Pixels) -> NDArray[np.float32]:
    """float32 [N, C, H, W] in 0…1, what every graph takes, from uint8 [N, H, W, C]."""
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)


def find_boxes(heat: NDArray[np.floating], *, threshold: float, size: tuple[int, int]) -> tuple[Box, ...]:
    """(x, y, width, height) in an image of `size` (height, width) of the connected regions of heat ≥ threshold.

    The hottest region comes first; regions touch along edges or corners.
    """
    hot = heat >= threshold
    if not hot.any():
        return ()
    regions, _ = ndimage.label(hot, structure=TOUCHING)
    slices = ndimage.find_objects(regions)
    peaks = [heat[inside][regions[inside] == number].max() for number, inside in enumerate(slices, start=1)]
    boxes = []
    for place in np.argsort(-np.asarray(peaks), kind="stable"):
        top, bottom = _pixels(slices[place][0], heat.shape[0], size[0])
        left, right = _pixels(slices[place][1], heat.shape[1], size[1])
        boxes.append((left, top, right - left, bottom - top))
    return tuple(boxes)


def _pixels(places: slice, count: int, pixels: int) -> tuple[int, int]:
    # Outward to whole pixels, in integers: rounding a product of floats may step over the image's edge.
    return int(places.start) * pixels // count, -(-int(places.stop) * pixels // count)
