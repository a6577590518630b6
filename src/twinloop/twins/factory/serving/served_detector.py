"""The detector as it is served: MLflow executes this file, so nothing is pickled.

A request holds images in a column `image`, PNG or JPEG as base64 or as a data URL (RFC 2397); every row is answered by
itself, and a row that cannot be read says why in `error` while the others are judged. The heat map comes as a PNG at
the graph's resolution, 0 … 255 for probabilities 0 … 1: stretched over the image it shows where the defect is.
"""

import base64
import binascii
import io
from typing import Any

import mlflow.models
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel
from numpy.typing import NDArray
from PIL import Image

from twinloop.vision.datasets.samples import Refused
from twinloop.vision.inference.pictures import read_picture
from twinloop.vision.inference.predict import DeployedDetector, Prediction

MAX_BYTES = 20_000_000
BATCH = 16


class ServedDetector(PythonModel):
    """Answers posted images; `artifacts` are the exported folder and the operating point."""

    def load_context(self, context: Any) -> None:
        self._detector = DeployedDetector(
            context.artifacts["detector"], operating_point=context.artifacts["operating_point"]
        )

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """One answer per row of the column `image`."""
        posted = list(model_input["image"])
        answers: list[dict[str, Any]] = []
        for start in range(0, len(posted), BATCH):
            answers += self._judged(posted[start : start + BATCH])
        return answers

    def _judged(self, posted: list[Any]) -> list[dict[str, Any]]:
        read = [_read(value) for value in posted]
        findings = iter(self._detector.predict_batch([image for image in read if not isinstance(image, str)]))
        return [refused(image) if isinstance(image, str) else answer(next(findings)) for image in read]


def answer(finding: Prediction) -> dict[str, Any]:
    """What a finding is as JSON. boxes: [x, y, width, height] in pixels of the posted image, the hottest first.

    reason: why the picture is to be looked at again whatever else is said, empty where there is none.
    """
    return {
        "defect_type": finding.defect_type,
        "confidence": finding.confidence,
        "defect_probability": finding.defect_probability,
        "decision": finding.decision.value if finding.decision else None,
        "unlike": finding.unlike,
        "reason": finding.reason,
        "boxes": [list(box) for box in finding.boxes],
        "heat_map": _png(finding.heat),
        "inference_ms": finding.inference_ms,
        "error": None,
    }


def refused(reason: str) -> dict[str, Any]:
    """The answer to a row without a readable image."""
    fields = ("defect_type", "confidence", "defect_probability", "decision", "unlike", "reason", "boxes", "heat_map")
    return {**dict.fromkeys((*fields, "inference_ms")), "error": reason}


def _read(posted: Any) -> NDArray[np.uint8] | str:
    """The pixels, or why there are none."""
    if posted == "":
        return "image: empty: expected the bytes of an image file"
    if not isinstance(posted, str):
        return "image: expected a text, the file's bytes as base64"
    try:
        encoded = _encoded(posted)
        if len(encoded) > MAX_BYTES * 4 // 3 + 4:
            return f"image: the file is larger than {MAX_BYTES // 10**6} MB: send a smaller one"
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return "image: not base64: send the bytes of a PNG or JPEG file, base64-encoded"
    try:
        return read_picture(content, max_bytes=MAX_BYTES)
    except Refused as error:
        return f"image: {error}"


def _encoded(posted: str) -> bytes:
    """The base64 of a text: without a data URL's head, and without the line breaks that encoders put in."""
    head, comma, rest = posted.partition(",") if posted[:5].lower() == "data:" else ("", "", posted)
    if comma and not head.lower().endswith(";base64"):
        raise binascii.Error("a data URL that is not base64")
    return b"".join(rest.encode("ascii").split())


def _png(heat: NDArray[np.float32]) -> str:
    stream = io.BytesIO()
    Image.fromarray(np.round(heat * 255).clip(0, 255).astype(np.uint8)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")


mlflow.models.set_model(ServedDetector())
