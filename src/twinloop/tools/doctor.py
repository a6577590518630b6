"""Check this machine and say what each gap costs, for one twin or all; or check data: doctor data PATH.

`doctor data PATH` reads every file of a folder or archive of images, or of a file or folder of telemetry: which layout
it has and for which twin, what is in it, what is left out and what is wrong. Nothing is written. Exit status 1 where
something is.
"""

import argparse
import os
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from twinloop.errors import InputError, RunError
from twinloop.numbers import count, counted, number, percent
from twinloop.twins import registry

if TYPE_CHECKING:
    from twinloop.prognostics.data.inspection import Inspection

EXAMPLE = "python -m twinloop doctor data data/source/mine"
PROBLEMS_SHOWN, LONGEST_LIST, MINUTES_PER_DAY = 40, 160, 1440


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given: nothing or a twin for the machine, `data` and a path for data."""
    parser.add_argument(
        "subject",
        nargs="?",
        choices=["data", *registry.TWINS],
        help="a twin: this machine for it alone; data: check images or telemetry instead of this machine",
    )
    parser.add_argument(
        "path", nargs="?", type=Path, help="folder, zip or tar with images; folder or file of telemetry"
    )


def run(options: argparse.Namespace, root: Path) -> int:
    """Print every finding; returns the exit status. Raises RunError where something needed is missing."""
    if options.subject == "data":
        if options.path is None:
            raise InputError(f"doctor: expected a folder, a zip or a tar after `data`, found nothing: `{EXAMPLE}`")
        return check_data(options.path, root)
    from twinloop.doctor import findings

    results = findings(root, [twin.name for twin in registry.chosen(options.subject)])
    for finding in results:
        print(f"{'✓' if finding.ok else '✗' if finding.needed else '–'} {finding.what:<18} {finding.told}")
    if any(not finding.ok and finding.needed for finding in results):
        raise RunError("doctor: something needed is missing: `make setup` installs what the project pins")
    return 0


def check_data(path: Path, root: Path) -> int:
    """Print what a source holds, pictures or telemetry, and for which twin it is; 1 where prepare would stop.

    Telemetry is what no layout of pictures claims. Raises InputError for a source that is not there.
    """
    from twinloop.prognostics.data.files import data_files
    from twinloop.prognostics.data.inspection import inspect
    from twinloop.prognostics.data.settings import DataSettings

    packed = path.is_file() and path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz") and not _table(path)
    if packed or not path.exists():
        return check_pictures(path, root)
    if path.is_dir() and _pictures(path):
        status = check_pictures(path, root)
        if any(data_files(path)) and not _annotated(path):
            print(
                f"– tables     {count(len(data_files(path)))} beside the pictures: name their own folder to check them"
            )
        return status
    found = inspect(path, DataSettings())
    if not found.candidates and path.is_file() and not _table(path):
        return check_pictures(path, root)
    return _tell_telemetry(path, found, root)


def _table(path: Path) -> bool:
    from twinloop.prognostics.data.files import SUFFIXES, kind_of

    return kind_of(path) in SUFFIXES


def _pictures(folder: Path) -> bool:
    from twinloop.vision.datasets.layouts import recognised
    from twinloop.vision.datasets.near import near

    return recognised(folder) is not None or bool(near(folder))


def _annotated(folder: Path) -> bool:
    """Whether tables and texts in the folder are labels of its pictures."""
    from twinloop.vision.datasets.layouts import recognised

    layout = recognised(folder)
    return layout is not None and layout.annotated


def _tell_telemetry(path: Path, found: "Inspection", root: Path) -> int:
    """Layout, contents, leaks, what was left out; what is near where nothing fits."""
    twin, setting = _reader("DataSettings")
    if not found.candidates:
        print("✗ layout     none of these:")
        _list_layouts()
        for line in found.near:
            print(f"– near       {line}")
        return 1
    best, *others = found.candidates
    sure = "" if not best.left else f", {percent(best.sureness, digits=0)} of the files"
    print(f"✓ layout     {best.layout.name} ({best.layout.looks_for}){sure}")
    if twin:
        print(f"✓ twin       {twin}: `{_command(twin, 'SourceSettings', best.layout.name, path, root)}`")
    for other in others:
        print(f"– or         {other.layout.name}: {setting('kind')}={other.layout.name} would read it as that")
    for line in found.near:
        print(f"– {line}")
    record = found.record
    if record is None:
        print(f"✗ {registry.find(twin).in_params(found.problem) if twin else found.problem}")
        print("1 problem")
        return 1
    telemetry = record.telemetry
    sensors = ", ".join(f"{name} ({unit})" if unit else name for name, unit in telemetry.units.items())
    begin, end = telemetry.frame["time_min"].min(), telemetry.frame["time_min"].max()
    span = (float(end) - float(begin)) / MINUTES_PER_DAY  # type: ignore[arg-type]
    print(
        f"✓ telemetry  {count(len(telemetry))} rows of {counted(len(telemetry.assets), 'asset')} over "
        f"{number(span)} days by the {record.clock} clock"
    )
    print(f"✓ sensors    {shortened(sensors)}")
    for (kind,), events in record.events.sort("kind").group_by("kind", maintain_order=True):
        by = events.group_by("component").len().sort("len", "component", descending=[True, False])
        told = ", ".join(f"{component or 'no component'} {many}" for component, many in by.head(6).iter_rows())
        print(f"✓ {kind:<10} {count(len(events))}: {told}")
    failed = int(record.lives["failed"].sum())
    print(
        f"{'✓' if failed else '–'} lives      {count(len(record.lives))}, {failed} of them ended in a failure"
        + ("" if failed else ": nothing to learn failures from, anomalies alone")
    )
    if len(record.windows):
        print(f"✓ windows    {count(len(record.windows))} of labelled anomalies")
    if record.leaks:
        print(
            f"– leaks      {', '.join(record.leaks)}: they give the label away and are left out "
            f"({setting('with_leaks')}=true keeps them)"
        )
    for reason, many in record.left_out.items():
        print(f"– {reason}: {count(many)}")
    if best.left:
        print(f"– files of another kind: {shortened(', '.join(file.name for file in best.left))}")
    for note in record.notes:
        print(f"– {note}")
    print("nothing is wrong")
    return 0


def _reader(settings: str) -> tuple[str, Callable[[str], str]]:
    """The twin that reads by these settings ("" where none does), and the path of one of them in params.yaml."""
    for twin in registry.chosen():
        path = twin.in_params(f"{settings}.kind").removesuffix("kind")
        if path != f"{settings}.":
            return twin.name, path.__add__
    return "", f"{settings}.".__add__


def _command(twin: str, settings: str, layout: str, path: Path, root: Path) -> str:
    """What makes the twin read the source: its own choice for the layout where it has one, else the recogniser."""
    options = {option.stem for option in (root / "conf" / twin / "data").glob("*.yaml")}
    choice = next((name for name in (layout, "auto", "folder") if name in options), layout)
    source = registry.find(twin).in_params(f"{settings}.source")
    return f"python -m twinloop conf {twin}/data={choice} {source}={shlex.quote(str(path))}"


def _list_layouts() -> None:
    from twinloop.prognostics.data.layouts import LAYOUTS as TELEMETRY
    from twinloop.vision.datasets.layouts import LAYOUTS as PICTURES

    for layout in (*PICTURES, *TELEMETRY):
        print(f"             {layout.name:<14} {layout.looks_for}")


def shortened(text: str) -> str:
    """A list short enough for a line."""
    return text if len(text) <= LONGEST_LIST else f"{text[: LONGEST_LIST - 1]}…"


def check_pictures(path: Path, root: Path) -> int:
    """Print what a source of images holds; 1 where prepare would leave out a file or stop."""
    from twinloop.vision.datasets.inspection import inspect
    from twinloop.vision.datasets.settings import DatasetSettings

    with tempfile.TemporaryDirectory(prefix="twinloop-doctor-") as scratch:
        settings = DatasetSettings(kind="auto", source=str(path))
        found = inspect(path, Path(scratch) / "unpacked", settings, workers=os.cpu_count() or 1)
    twin, _ = _reader("DatasetSettings")
    named = registry.find(twin).in_params if twin else str
    if found.layout is None and not found.problems:
        print("✗ layout     none of these:")
        _list_layouts()
        for line in found.near:
            print(f"– near       {line}")
        return 1
    if found.layout is not None:
        print(f"✓ layout     {found.layout}")
    if found.warning:
        print(f"{'✗' if found.shortcut else '–'} source     {found.warning}")
    if found.classes:
        masks = sum(item.masks for item in found.classes)
        defects = sum(item.images for item in found.classes if item.label != "good")
        print(
            f"✓ images     {count(found.images)} in {len(found.classes)} classes, {count(found.parts)} parts; "
            f"{count(masks)} of {count(defects)} defective ones with a mask"
        )
        for item in found.classes:
            print(f"             {item.label:<24} {count(item.images)} ({count(item.parts)} parts)")
    if twin and found.layout is not None:
        print(f"✓ twin       {twin}: `{_command(twin, 'DatasetSettings', found.layout, path, root)}`")
    for remark in found.remarks:
        print(f"– {named(remark)}")
    for name, reason in found.problems[:PROBLEMS_SHOWN]:
        print(f"✗ {f'{name}: ' if name else ''}{named(reason)}")
    if len(found.problems) > PROBLEMS_SHOWN:
        print(f"✗ … and {len(found.problems) - PROBLEMS_SHOWN} more")
    problems = len(found.problems) + found.shortcut
    print(counted(problems, "problem") if problems else "nothing is wrong")
    return 1 if problems else 0
