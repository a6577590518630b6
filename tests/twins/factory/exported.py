"""A prepared dataset and a detector of a few kilobytes, written in a second, for the stages that follow training."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import torch
from PIL import Image

from tests.twins.small_loop import SilentTracker
from twinloop.files import sha256
from twinloop.twins.factory import paths
from twinloop.twins.stage import Stage
from twinloop.vision.datasets.needs import Input
from twinloop.vision.evaluation.settings import DetectorExportSettings, EvaluateSettings, ExplanationSettings
from twinloop.vision.index import INDEX_FILE, SCHEMA
from twinloop.vision.models.detector import Detector
from twinloop.vision.models.saving import save_detector
from twinloop.vision.models.settings import ModelSettings

CLASSES = ("good", "dent", "spot")
SIZE = 32
SCORED = ExplanationSettings(images=8, steps=3)


def stage(root: Path, *, export: dict[str, Any] | None = None, evaluate: dict[str, Any] | None = None) -> Stage[Any]:
    """A stage at `root` with quick settings; only the sections that export and evaluate declare."""
    quick = {"latency_runs": 10, "latency_warmup": 1, "calibration_samples": 16, "tensorrt": "none"}
    sections = SimpleNamespace(
        export=DetectorExportSettings(**{**quick, **(export or {})}),
        evaluate=EvaluateSettings(**{"draws": 20, "explanations": SCORED, **(evaluate or {})}),
    )
    return Stage(SimpleNamespace(profile="smoke", seed=3, factory=sections), root, SilentTracker(), 1)


def write_inputs(root: Path) -> None:
    """What prepare and train leave: 144 images of two exposures per part, and an untrained detector."""
    random = np.random.default_rng(0)
    dataset = root / paths.DATASET
    (dataset / "images").mkdir(parents=True)
    (dataset / "masks").mkdir()
    rows = [
        _write_image(dataset, random, split=split, part=part, exposure=exposure)
        for split in ("train", "val", "test")
        for part in range(24)
        for exposure in range(2)
    ]
    pl.DataFrame(rows, schema=SCHEMA).write_parquet(dataset / INDEX_FILE)
    Input(SIZE, 1, 0, 8.0, SIZE, ()).save(dataset)
    torch.manual_seed(0)
    settings = ModelSettings(size_px=SIZE, width=4, decoder_width=8, heat_stride=2)
    save_detector(root / paths.DETECTOR, Detector(settings, classes=CLASSES, size=SIZE, channels=1).eval())


def _write_image(
    dataset: Path, random: np.random.Generator, *, split: str, part: int, exposure: int
) -> dict[str, object]:
    label = CLASSES[(0, 1, 0, 2)[part % 4]]
    pixels = random.normal(110, 12, (SIZE, SIZE))
    mask = np.zeros((SIZE, SIZE), np.uint8)
    if label != "good":
        row, column = random.integers(2, SIZE - 12, 2)
        mask[row : row + 8, column : column + 8] = 255
        pixels += (mask > 0) * (90 if label == "spot" else -70)
    name = f"images/{split}_{part}_{exposure}.png"
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(dataset / name)
    mask_name = name.replace("images", "masks") if label != "good" else None
    if mask_name:
        Image.fromarray(mask).save(dataset / mask_name)
    return {
        "image": name,
        "mask": mask_name,
        "label": label,
        "group": f"{split}-{part}",
        "split": split,
        "sha256": sha256(dataset / name),
        "mask_sha256": sha256(dataset / mask_name) if mask_name else None,
        "width": SIZE,
        "height": SIZE,
        "source": name,
    }
