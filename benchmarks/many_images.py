"""Memory and time of reading many images: a split mapped from its cache beside one held in memory.

Memory is what the process holds for itself (RssAnon of Linux): pages of a mapped file are the kernel's to take back.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from twinloop.files import sha256

FEW, MANY, SIDE, DISTINCT, DEFECTIVE = 1_000, 100_000, 96, 200, 20
EPOCH = 4_000


def figures(folder: Path, reasons: dict[str, str]) -> dict[str, Any]:
    """Peak memory of the batches of an epoch at 1 000 and 100 000 images; its CPU seconds over those in memory."""
    if not Path("/proc/self/status").exists():
        reasons["images_peak_gib"] = "no /proc on this machine"
        return {"images_peak_gib": None}
    peaks = {count: _measured(_dataset(folder / str(count), count), "mapped")["peak_gib"] for count in (FEW, MANY)}
    epoch = _dataset(folder / "epoch", EPOCH)
    seconds = {way: min(_measured(epoch, way)["epoch_s"] for _ in range(2)) for way in ("memory", "mapped")}
    return {
        f"images_{FEW}_peak_gib": round(peaks[FEW], 3),
        f"images_{MANY}_peak_gib": round(peaks[MANY], 3),
        "images_mapped_epoch_ratio": round(seconds["mapped"] / seconds["memory"], 3),
    }


def _dataset(folder: Path, count: int) -> Path:
    """A prepared dataset of so many files, links to a few hundred different ones."""
    from twinloop.vision.datasets.needs import Input
    from twinloop.vision.index import INDEX_FILE, SCHEMA

    for kind in ("distinct", "images", "masks"):
        (folder / kind).mkdir(parents=True)
    rng, mask = np.random.default_rng(1), np.zeros((SIDE, SIDE), np.uint8)
    mask[40:52, 40:52] = 255
    Image.fromarray(mask).save(folder / "masks" / "mask.png")
    mask_sha256, digests = sha256(folder / "masks" / "mask.png"), []
    for number in range(DISTINCT):
        pixels = rng.normal(120, 15, (SIDE, SIDE)) + (mask > 0) * (60 if number % DEFECTIVE == 0 else 0)
        path = folder / "distinct" / f"{number}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
        digests.append(sha256(path))
    rows = []
    for number in range(count):
        kind, split = number % DISTINCT, "val" if number < DISTINCT else "train"
        os.link(folder / "distinct" / f"{kind}.png", folder / "images" / f"{number}.png")
        bad = kind % DEFECTIVE == 0
        rows.append(
            {
                "image": f"images/{number}.png",
                "mask": "masks/mask.png" if bad else None,
                "label": "spot" if bad else "good",
                "group": str(number),
                "split": split,
                "sha256": digests[kind],
                "mask_sha256": mask_sha256 if bad else None,
                "width": SIDE,
                "height": SIDE,
                "source": str(number),
            }
        )
    pl.DataFrame(rows, schema=SCHEMA).write_parquet(folder / INDEX_FILE)
    Input(SIDE, 1, 0, 12.0, SIDE, ()).save(folder)
    return folder


def _measured(dataset: Path, way: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.many_images", str(dataset), way]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _epoch(dataset: Path, way: str) -> dict[str, float]:
    from twinloop.vision.index import load_images
    from twinloop.vision.training.loading import training_batches
    from twinloop.vision.training.settings import AugmentationSettings, TrainSettings
    from twinloop.vision.training.transforms import Augmenter

    cache = dataset / "cache" if way == "mapped" else None
    images = load_images(dataset, "train", size=SIDE, channels=1, cache=cache)
    augment = Augmenter(AugmentationSettings(), seed=1)
    started = time.process_time()
    batches = training_batches(images, TrainSettings(), augment=augment, seed=1)
    seen = 0
    peak = _anonymous_gib()
    for number, batch in enumerate(batches):
        seen += len(batch.labels)
        if number % 100 == 0:
            peak = max(peak, _anonymous_gib())
    return {"peak_gib": max(peak, _anonymous_gib()), "epoch_s": time.process_time() - started, "images": float(seen)}


def _anonymous_gib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 2**20
    raise RuntimeError("no RssAnon in /proc/self/status")


if __name__ == "__main__":
    print(json.dumps(_epoch(Path(sys.argv[1]), sys.argv[2])))
