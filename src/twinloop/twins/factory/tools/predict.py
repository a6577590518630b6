"""Judge an image, or every image in a folder, with the exported detector.

Decision, type, confidence and boxes. Summary on stdout, or everything with --json; --out keeps a row for each file,
unreadable ones included.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.errors import InputError
from twinloop.progress import say

if TYPE_CHECKING:
    from twinloop.vision.inference.predict import DeployedDetector

EXAMPLE = "python -m twinloop predict data/source/mine --out findings.csv"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("source", type=Path, help="a folder of images, searched to the bottom, or one image")
    model_arguments(parser)
    parser.add_argument("--tile", type=int, metavar="PX", help="cut images into tiles of this side, do not resize them")
    parser.add_argument("--json", action="store_true", help="print summary and all findings as JSON")
    parser.add_argument("--out", type=Path, help="write a row per file: .parquet, .csv or .json")


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which detector is asked for."""
    parser.add_argument("--model", type=Path, help="folder of an export stage (default: this repository's)")
    parser.add_argument("--point", type=Path, help="operating_point.json of the evaluate stage, beside --model")
    parser.add_argument("--backend", choices=("onnx", "torch", "tensorrt"), default="onnx", help="what computes it")


def run(options: argparse.Namespace, root: Path) -> int:
    """Judge, write and print. Raises InputError where no image at all can be read."""
    from twinloop.vision.inference.folder import check_output, predict_folder

    if options.out:
        check_output(options.out)
    judged = predict_folder(open_detector(options, root), options.source, tile_px=options.tile)
    if options.out:
        judged.save(options.out)
    broken = judged.table.filter(judged.table["error"].is_not_null())
    if len(broken) == len(judged.table):
        image, reason = broken["image"][0], broken["error"][0]
        raise InputError(f"predict: none of {len(broken)} image(s) can be read; {image}: {reason}")
    for row in broken.iter_rows(named=True):
        say(f"predict: {row['image']}: {row['error']}")
    if options.json:
        print(json.dumps(judged.record(), ensure_ascii=False, allow_nan=False))
    elif len(judged.table) == 1:
        print(_finding(judged.table.row(0, named=True)))
    else:
        print(_summary(judged.summary))
    if options.out:
        say(f"predict: findings written to {options.out}")
    return 0


def open_detector(options: argparse.Namespace, root: Path) -> "DeployedDetector":
    """The detector that `model_arguments` ask for; without an operating point it says so and decides nothing."""
    from twinloop.twins.factory import paths
    from twinloop.vision.inference.backends import OnnxBackend, TensorRTBackend, TorchBackend
    from twinloop.vision.inference.predict import DeployedDetector

    exported = options.model or root / paths.ONNX
    match options.backend:
        case "torch":
            if options.model:
                raise InputError("predict: --backend torch runs this repository's own detector: leave out --model")
            backend: Any = TorchBackend(root / paths.DETECTOR, exported=exported)
        case "tensorrt":
            backend = TensorRTBackend(exported)
        case _:
            backend = OnnxBackend(exported)
    point = options.point or (None if options.model else root / paths.OPERATING_POINT)
    if point is not None and not options.point and not point.is_file():
        point = None
    if point is None:
        say("predict: no operating point: probabilities are uncalibrated and nothing is decided (--point FILE)")
    return DeployedDetector(backend, operating_point=point)


def _finding(row: dict[str, Any]) -> str:
    said = f"{row['decision'] or 'undecided'}: {row['defect_type']}, confidence {row['confidence']:.3f}"
    boxes = "; ".join(f"{w}×{h} at ({x}, {y})" for x, y, w, h in row["boxes"]) or "none"
    line = f"{row['image']}: {said}, defect probability {row['defect_probability']:.3g}, boxes: {boxes}"
    return f"{line}; {row['reason']}" if row["reason"] else line


def _summary(summary: dict[str, Any]) -> str:
    lines = [f"{summary['images']} images, {summary['unreadable']} unreadable"]
    for title in ("decisions", "defect_types"):
        if summary[title]:
            lines.append(", ".join(f"{name} {count}" for name, count in summary[title].items()))
    if summary["unlike"]:
        lines.append(f"{summary['unlike']} unlike anything learnt: look at camera, light and part (column reason)")
    lines.append(f"median inference {summary['inference_ms_p50']:.2f} ms")
    return "\n".join(lines)
