"""Hold a folder of new images against the day the detector was measured.

Has what it sees, or says, changed? Images are taken in the order of their names, in windows. Exit status 1 where a
window raised an alarm. With unchanged parts that happens in at most `false_alarms_per_1000_windows` of 1000 windows
(factory.evaluate.drift).
"""

import argparse
import dataclasses
import json
from pathlib import Path

from twinloop.errors import InputError, RunError
from twinloop.progress import say

EXAMPLE = "python -m twinloop drift data/source/mine --window 50"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("folder", type=Path, help="a folder of images, searched to the bottom")
    parser.add_argument("--window", type=int, metavar="N", help="images per window (default: as configured)")
    parser.add_argument("--json", action="store_true", help="print every window and alarm as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Compare and print. Raises RunError where a window differs from the reference."""
    from twinloop.twins.factory import paths
    from twinloop.vision.inference.predict import DeployedDetector
    from twinloop.vision.monitoring.folder import check_folder
    from twinloop.vision.monitoring.reference import REFERENCE_FILE, DriftReference

    reference = DriftReference.load(root / paths.EVALUATION / REFERENCE_FILE)
    detector = DeployedDetector(root / paths.ONNX, operating_point=root / paths.OPERATING_POINT)
    settings = reference.settings
    if options.window is not None:
        if options.window < 5:
            raise InputError(f"drift: --window {options.window}: expected at least 5 images")
        settings = dataclasses.replace(settings, window=options.window)
    checked = check_folder(detector, reference, options.folder, settings=settings)
    for name, reason in checked.unreadable:
        say(f"drift: {name}: {reason}")
    if options.json:
        print(json.dumps(checked.record(), ensure_ascii=False, allow_nan=False))
    else:
        for alarm in checked.alarms:
            print(alarm)
        print(f"{checked.images} images in {len(checked.windows)} window(s), {len(checked.alarms)} alarm(s)")
    stirred = sum(bool(window.alarms) for window in checked.windows)
    if stirred:
        raise RunError(
            f"drift: {stirred} of {len(checked.windows)} window(s) differ from the reference: look at camera, light "
            "and parts; where the change is meant, add such images to the data and run the loop again"
        )
    return 0
