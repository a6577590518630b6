"""Play a folder of images to the detector at a fixed takt: missed frames, latency, utilisation."""

import argparse
import json
from pathlib import Path

from twinloop.progress import say
from twinloop.twins.factory.tools.predict import model_arguments, open_detector

EXAMPLE = "python -m twinloop camera data/source/mine --takt-s 0.02 --frames 100"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("folder", type=Path, help="the images to show, over and over")
    parser.add_argument("--takt-s", type=float, default=0.1, help="seconds from one frame to the next (default 0.1)")
    parser.add_argument("--frames", type=int, default=300, help="how many are shown (default 300)")
    parser.add_argument("--buffer", type=int, default=1, help="frames that may wait while one is judged (default 1)")
    model_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Play and print the report."""
    from twinloop.vision.inference.camera import load_frames, play, warm_up

    detector = open_detector(options, root)
    images, refused = load_frames(options.folder)
    for line in refused:
        say(f"camera: left out: {line}")
    warm_up(detector, images[0])
    report = play(detector.predict, images, takt_s=options.takt_s, frames=options.frames, buffer=options.buffer)
    if options.json:
        print(json.dumps(report.record()))
        return 0
    print(f"{report.frames} frames, one every {report.takt_s * 1e3:g} ms, {report.missed} missed")
    print(
        f"from frame to finding: p50 {report.latency_ms_p50:.2f}, p95 {report.latency_ms_p95:.2f}, "
        f"p99 {report.latency_ms_p99:.2f}, longest {report.latency_ms_max:.2f} ms"
    )
    print(f"the detector worked {report.utilisation:.1%} of the time")
    print(", ".join(f"{name} {count}" for name, count in report.findings.items()))
    if report.unlike:
        print(f"{report.unlike} unlike anything learnt: look at camera, light and part")
    return 0
