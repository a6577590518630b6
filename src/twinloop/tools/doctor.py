"""Check this machine and say what each gap costs, for one twin or all; or check images: doctor data PATH.

`doctor data PATH` reads every file of a folder or archive of images: which layout it has, what is in
it, what is wrong with its files. Nothing is written. Exit status 1 where something is.
"""

import argparse
import os
import tempfile
from pathlib import Path

from twinloop.errors import InputError, RunError
from twinloop.numbers import count
from twinloop.twins import registry

EXAMPLE = "python -m twinloop doctor data data/source/mine"
PROBLEMS_SHOWN = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given: nothing or a twin for the machine, `data` and a path for images."""
    parser.add_argument(
        "subject",
        nargs="?",
        choices=["data", *registry.TWINS],
        help="a twin: this machine for it alone; data: check images instead of this machine",
    )
    parser.add_argument("path", nargs="?", type=Path, help="folder, zip or tar with the images")


def run(options: argparse.Namespace, root: Path) -> int:
    """Print every finding; returns the exit status. Raises RunError where something needed is missing."""
    if options.subject == "data":
        if options.path is None:
            raise InputError(f"doctor: expected a folder, a zip or a tar after `data`, found nothing: `{EXAMPLE}`")
        return check_data(options.path)
    from twinloop.doctor import findings

    results = findings(root, [twin.name for twin in registry.chosen(options.subject)])
    for finding in results:
        print(f"{'✓' if finding.ok else '✗' if finding.needed else '–'} {finding.what:<18} {finding.told}")
    if any(not finding.ok and finding.needed for finding in results):
        raise RunError("doctor: something needed is missing: `make setup` installs what the project pins")
    return 0


def check_data(path: Path) -> int:
    """Print what a source of images holds; 1 where prepare would leave out a file or stop."""
    from twinloop.vision.datasets.inspection import inspect
    from twinloop.vision.datasets.layouts import LAYOUTS
    from twinloop.vision.datasets.settings import DatasetSettings

    with tempfile.TemporaryDirectory(prefix="twinloop-doctor-") as scratch:
        settings = DatasetSettings(kind="auto", source=str(path))
        found = inspect(path, Path(scratch) / "unpacked", settings, workers=os.cpu_count() or 1)
    if found.layout is None:
        print("✗ layout     none of these:")
        for layout in LAYOUTS:
            print(f"             {layout.name:<14} {layout.looks_for}")
        return 1
    print(f"✓ layout     {found.layout}")
    if found.classes:
        masks = sum(item.masks for item in found.classes)
        defects = sum(item.images for item in found.classes if item.label != "good")
        print(
            f"✓ images     {count(found.images)} in {len(found.classes)} classes, {count(found.parts)} parts; "
            f"{count(masks)} of {count(defects)} defective ones with a mask"
        )
        for item in found.classes:
            print(f"             {item.label:<24} {count(item.images)} ({count(item.parts)} parts)")
    for remark in found.remarks:
        print(f"– {remark}")
    for name, reason in found.problems[:PROBLEMS_SHOWN]:
        print(f"✗ {f'{name}: ' if name else ''}{reason}")
    if len(found.problems) > PROBLEMS_SHOWN:
        print(f"✗ … and {len(found.problems) - PROBLEMS_SHOWN} more")
    print(
        f"{count(len(found.problems))} problem{'' if len(found.problems) == 1 else 's'}"
        if found.problems
        else "nothing is wrong"
    )
    return 1 if found.problems else 0
