"""Speed and memory of the deployed detector beside the bare ONNX Runtime session that it runs in.

`python benchmarks/inference.py --json` prints one JSON object. A default-size detector is trained for a few epochs in a
temporary folder: weights do not matter for speed, but hot regions must occur, because boxes cost time. Pairs are
interleaved and medians taken. A figure that could not be measured is null, with its reason under "reasons".
"""

import argparse
import contextlib
import dataclasses
import importlib
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

from twinloop.files import sha256
from twinloop.learning.signature import even_batches
from twinloop.learning.spec import Spec
from twinloop.vision.datasets.build import build
from twinloop.vision.datasets.settings import DatasetSettings, SurfaceSettings
from twinloop.vision.graph import INPUT, JUDGED, image_input
from twinloop.vision.index import ImageSet, load_images
from twinloop.vision.inference.pictures import Pixels
from twinloop.vision.inference.predict import DeployedDetector, to_input
from twinloop.vision.models.settings import ModelSettings

ROOT = Path(__file__).resolve().parents[1]
PARTS = 160
EPOCHS = 4
FILES = {"fp32": "detector_fp32.onnx", "int8": "detector_int8.onnx"}
SINGLE_PAIRS = 600
BATCH = 32
BATCH_PAIRS = 40
LARGE_SIDE = 8192
PEAK = """
import sys
from pathlib import Path
from twinloop.vision.inference.large import predict_large
from twinloop.vision.inference.predict import DeployedDetector
found = predict_large(DeployedDetector(sys.argv[1]), sys.argv[2])
assert found.size == (int(sys.argv[3]),) * 2
(line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(int(line.split()[1]) * 1024, found.inference_ms)
"""


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    options = parser.parse_args()
    reasons: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as temporary:
        found = figures(Path(temporary), reasons)
    print(json.dumps(found | {"reasons": reasons}, indent=None if options.json else 2))


def figures(folder: Path, reasons: dict[str, str]) -> dict[str, float | None]:
    """Everything below; `folder` takes the data and the model, `reasons` says why a figure is missing."""
    detector, test = exported(folder)
    return {
        **speed(detector, test.images),
        **tiled_peak(detector, folder),
        **int8(detector, test.images),
        **anomalib(test.images, folder, reasons),
    }


def exported(folder: Path) -> tuple[Path, ImageSet]:
    """A default-size detector, briefly trained on rendered surfaces, as export leaves it, with its test set."""
    from twinloop.learning.export import to_onnx
    from twinloop.learning.quantise import to_int8
    from twinloop.vision.models.saving import WEIGHTS_FILE, save_detector
    from twinloop.vision.training.fitting import train_detector
    from twinloop.vision.training.settings import AugmentationSettings, TrainSettings

    dataset = folder / "dataset"
    settings = DatasetSettings(surfaces=SurfaceSettings(parts=PARTS, exposures=1))
    build(settings, ROOT / settings.source, dataset, seed=1, workers=1)
    model = ModelSettings()
    train, validation, test = (
        load_images(dataset, split, size=model.size_px, channels=model.channels) for split in ("train", "val", "test")
    )
    brief = dataclasses.replace(TrainSettings(), epochs=EPOCHS, patience=EPOCHS, accelerator="cpu")
    detector = train_detector(
        model, brief, AugmentationSettings(), images=train, validation=validation, seed=0
    ).detector
    save_detector(folder / "detector", detector)
    graphs = {name: folder / "onnx" / file for name, file in FILES.items()}
    inputs = {INPUT: to_input(train.images[:64])}
    given = image_input(size=detector.size, channels=detector.channels)
    to_onnx(detector, (given,), path=graphs["fp32"], outputs=JUDGED, metadata={})
    to_int8(graphs["fp32"], graphs["int8"], batches=even_batches(inputs, 32), metadata={})
    about = {
        "classes": list(detector.classes),
        "size": detector.size,
        "channels": detector.channels,
        "names_defects": detector.names_defects,
        "weights_sha256": sha256(folder / "detector" / WEIGHTS_FILE),
    }
    Spec("fp32", FILES, {name: sha256(path) for name, path in graphs.items()}, about).save(folder / "onnx")
    return folder / "onnx", test


def speed(detector: Path, images: Pixels) -> dict[str, float]:
    """What a typed result costs over the bare session: of one image (array in, result out) and of batches.

    images: uint8 [N, size, size, C] at the model's size. latency_ratio, latency_overhead_ms: median over pairs, ours
    over and minus the session's. throughput_ratio: images per second of ours over the session's.
    """
    ours, bare = DeployedDetector(detector), _session(detector / FILES["fp32"])
    inputs = [to_input(image[None]) for image in images]
    places = [place % len(images) for place in range(SINGLE_PAIRS)]
    single = _pairs(
        [lambda place=place: ours.predict(images[place]) for place in places],  # type: ignore[misc]
        [lambda place=place: bare(inputs[place]) for place in places],  # type: ignore[misc]
    )
    starts = [place * BATCH % (len(images) - BATCH + 1) for place in range(BATCH_PAIRS)]
    batches = {start: to_input(images[start : start + BATCH]) for start in set(starts)}
    many = _pairs(
        [lambda start=start: ours.predict_batch(list(images[start : start + BATCH])) for start in starts],  # type: ignore[misc]
        [lambda start=start: bare(batches[start]) for start in starts],  # type: ignore[misc]
    )
    return {
        "latency_ratio": round(statistics.median(mine / theirs for mine, theirs in single), 3),
        "latency_overhead_ms": round(statistics.median(mine - theirs for mine, theirs in single) * 1e3, 4),
        "latency_ms": round(statistics.median(mine for mine, _ in single) * 1e3, 4),
        "throughput_ratio": round(statistics.median(theirs / mine for mine, theirs in many), 3),
        "images_per_s": round(BATCH / statistics.median(mine for mine, _ in many), 1),
    }


def int8(detector: Path, images: Pixels) -> dict[str, float]:
    """int8_speedup: how many times faster one image is judged in INT8 than in FP32."""
    quick, exact = (DeployedDetector(detector, graph_format=name) for name in ("int8", "fp32"))
    places = [place % len(images) for place in range(SINGLE_PAIRS)]
    pairs = _pairs(
        [lambda place=place: quick.predict(images[place]) for place in places],  # type: ignore[misc]
        [lambda place=place: exact.predict(images[place]) for place in places],  # type: ignore[misc]
    )
    return {"int8_speedup": round(statistics.median(slow / fast for fast, slow in pairs), 3)}


def tiled_peak(detector: Path, folder: Path, *, side: int = LARGE_SIDE) -> dict[str, float]:
    """Peak resident memory and seconds of a fresh process that judges a grey PNG of side × side pixels."""
    random = np.random.default_rng(0)
    pixels = random.integers(90, 150, (side, side), dtype=np.uint8)
    path = folder / "large.png"
    Image.fromarray(pixels).save(path, compress_level=1)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(detector), str(path), str(side)], capture_output=True, text=True, check=True
    )
    path.unlink()
    peak, elapsed_ms = done.stdout.split()
    return {
        f"tiled_{side}_peak_gib": round(int(peak) / 2**30, 3),
        f"tiled_{side}_s": round(float(elapsed_ms) / 1e3, 1),
    }


def anomalib(images: Pixels, folder: Path, reasons: dict[str, str]) -> dict[str, float | None]:
    """Latency of one image in anomalib's PatchCore (ResNet-18, random weights), in torch and in its own ONNX graph.

    Both as they come: images are enlarged to 256 pixels, the memory bank is a tenth of the patches of 32 images. The
    graph may take one size of batch only: then that batch is timed and divided.
    """
    names = ("anomalib_patchcore_ms", "anomalib_patchcore_onnx_ms")
    if importlib.util.find_spec("anomalib") is None:
        reasons["anomalib"] = "anomalib is not installed"
        return dict.fromkeys(names)
    import torch

    models = importlib.import_module("anomalib.models")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # anomalib wants three channels.
        inputs = torch.from_numpy(to_input(images[:32])).expand(-1, 3, -1, -1).contiguous()
        patchcore = models.Patchcore(backbone="resnet18", layers=("layer2", "layer3"), pre_trained=False)
        patchcore.model.train()
        patchcore.model(patchcore.pre_processor(inputs))
        patchcore.model.subsample_embedding(0.1)
        patchcore.eval()
        with torch.inference_mode():
            in_torch = _median_ms(lambda: patchcore(inputs[:1]))
        with contextlib.redirect_stdout(sys.stderr):  # the exporter talks, and stdout is for figures
            path = patchcore.to_onnx(folder / "patchcore", input_size=(inputs.shape[2], inputs.shape[3]))
        session = onnxruntime.InferenceSession(str(path), _options(), providers=["CPUExecutionProvider"])
        (given,) = session.get_inputs()
        batch = given.shape[0] if isinstance(given.shape[0], int) else 1
        pixels = inputs[:batch].numpy()
        in_onnx = _median_ms(lambda: session.run(None, {given.name: pixels})) / batch
    finally:
        torch.set_num_threads(threads)
    if batch != 1:
        reasons["anomalib_patchcore_onnx_ms"] = f"per image of a batch: its graph takes batches of {batch} only"
    return dict(zip(names, (round(in_torch, 3), round(in_onnx, 3)), strict=True))


def _pairs(
    ours: Sequence[Callable[[], object]], theirs: Sequence[Callable[[], object]], *, warmup: int = 5
) -> list[tuple[float, float]]:
    """Seconds of each of ours and theirs, side by side; each goes first every other time."""
    for call in (*ours[:warmup], *theirs[:warmup]):
        call()
    pairs = []
    for place, (mine, bare) in enumerate(zip(ours, theirs, strict=True)):
        if place % 2:
            first, second = _seconds(mine), _seconds(bare)
            pairs.append((first, second))
        else:
            second, first = _seconds(bare), _seconds(mine)
            pairs.append((first, second))
    return pairs


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _session(path: Path) -> Callable[[Any], Any]:
    session = onnxruntime.InferenceSession(str(path), _options(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options


def _median_ms(call: Callable[[], object], *, runs: int = 50) -> float:
    call()
    return statistics.median(_seconds(call) for _ in range(runs)) * 1e3


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
