"""Check this machine and say what each gap costs, for one twin or all; or check data: doctor data PATH.

`doctor data PATH` reads every file of a folder or archive of images, of a file or folder of telemetry, or of a person's
documents, recordings, messages or calendar: which layout it has and for which twin, what is in it, what is left out and
what is wrong. Settings may follow, named as in params.yaml. Nothing is written. Exit status 1 where something is.
"""

import argparse
import os
import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from twinloop.config import Invalid, parse
from twinloop.errors import InputError, RunError
from twinloop.numbers import count, counted, number, percent
from twinloop.twins import registry

if TYPE_CHECKING:
    from twinloop.dialogue.datasets.inspection import Inspection as Heard
    from twinloop.prognostics.data.inspection import Inspection

EXAMPLE = "python -m twinloop doctor data data/source/mine"
# By which the twins read what is theirs.
READERS = ("DatasetSettings", "DataSettings", "CorpusSettings")
# Layouts of a person that files of any kind may have.
UNTELLING = ("documents", "calendar")
# What telemetry beside pictures is, and their lists, notes and configurations are not.
TABLES = (".csv", ".tsv", ".parquet")
T = TypeVar("T")
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
        "path", nargs="?", type=Path, help="folder, zip or tar with images; folder or file of telemetry or of a person"
    )
    parser.add_argument(
        "settings", nargs="*", metavar="KEY=VALUE", help="of reading: person.data.reading.calendar.zone=Europe/Berlin"
    )


def run(options: argparse.Namespace, root: Path) -> int:
    """Print every finding; returns the exit status. Raises RunError where something needed is missing."""
    if options.subject == "data":
        if options.path is None:
            raise InputError(f"doctor: expected a folder, a zip or a tar after `data`, found nothing: `{EXAMPLE}`")
        return check_data(options.path, root, options.settings)
    from twinloop.doctor import findings

    results = findings(root, [twin.name for twin in registry.chosen(options.subject)])
    for finding in results:
        print(f"{'✓' if finding.ok else '✗' if finding.needed else '–'} {finding.what:<18} {finding.told}")
    if any(not finding.ok and finding.needed for finding in results):
        raise RunError("doctor: something needed is missing: `make setup` installs what the project pins")
    return 0


def check_data(path: Path, root: Path, given: Sequence[str] = ()) -> int:
    """Print what a source holds (pictures, telemetry, a person's) and for which twin it is; 1 where prepare would stop.

    Telemetry is what no layout of pictures claims. A person's is what is nothing else, as any text may be a document,
    and what a profile, questions or recordings tell. given: settings of reading. Raises InputError for a source that is
    not there and for a setting that is none.
    """
    from twinloop.prognostics.data.inspection import inspect
    from twinloop.prognostics.data.settings import DataSettings

    chosen = _chosen(given)
    packed = path.is_file() and path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz") and not _table(path)
    if packed or not path.exists():
        return check_pictures(path, root, chosen)
    heard = _heard(path, chosen)
    if heard is not None and heard.candidates[0].layout.name not in UNTELLING:
        return _tell_person(path, heard, root)
    if path.is_dir() and _pictures(path):
        status = check_pictures(path, root, chosen)
        tables = [] if _annotated(path) else _telemetry_beside(path)
        if tables:
            print(f"– tables     {count(len(tables))} beside the pictures: name their own folder to check them")
        return status
    found = inspect(path, _settings(DataSettings, chosen))
    if not found.candidates and heard is not None:
        return _tell_person(path, heard, root)
    if not found.candidates and path.is_file() and not _table(path):
        return check_pictures(path, root, chosen)
    return _tell_telemetry(path, found, root)


def _chosen(given: Sequence[str]) -> dict[str, Any]:
    """Settings by their path in params.yaml. Raises InputError for what is not KEY=VALUE."""
    pairs = [text.partition("=") for text in given]
    if wrong := [text for text, (name, sign, _) in zip(given, pairs, strict=True) if not (name and sign)]:
        raise InputError(f"doctor: {wrong[0]}: expected KEY=VALUE, as person.data.reading.calendar.zone=Europe/Berlin")
    places = tuple(_reader(kind)[1]("") for kind in READERS)
    for name, _, _ in pairs:
        if not name.startswith(places):
            raise InputError(f"doctor: {name}: expected a setting of reading: one below {', '.join(places)}")
    return {name: _value(text) for name, _, text in pairs}


def _value(text: str) -> Any:
    """A value as params.yaml has it; a day stays a text."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return text if isinstance(value, date) else value


def _settings(schema: type[T], chosen: Mapping[str, Any], **more: Any) -> T:
    """Settings of reading as chosen, the rest by default. Raises InputError for a value that does not fit."""
    twin, setting = _reader(schema.__name__)
    values: dict[str, Any] = dict(more)
    for name, value in chosen.items():
        if name.startswith(setting("")):
            *outer, last = name.removeprefix(setting("")).split(".")
            place = values
            for key in outer:
                place = place.setdefault(key, {})
            place[last] = value
    try:
        return parse(schema, values)
    except Invalid as error:
        raise InputError(f"doctor: {setting('')}{error}" if twin else f"doctor: {error}") from None


def _heard(path: Path, chosen: Mapping[str, Any]) -> "Heard | None":
    """What a source is as a person's, None where nothing of it is."""
    from twinloop.dialogue.datasets.inspection import inspect
    from twinloop.dialogue.datasets.layouts import LEAST_SURE, recognise
    from twinloop.dialogue.datasets.settings import CorpusSettings

    try:
        recognised = recognise(path)
    except InputError:
        return None
    if not recognised or recognised[0].sureness < LEAST_SURE:
        return None
    found = inspect(path, _settings(CorpusSettings, chosen))
    return found if found.candidates else None


def _tell_person(path: Path, found: "Heard", root: Path) -> int:
    """Layout, contents, what was left out; what is wrong where it cannot be read."""
    from twinloop.dialogue.datasets.inspection import contents

    twin, setting = _reader("CorpusSettings")
    best = found.candidates[0]
    _tell_layout(path, found, root, twin, kind=setting("kind"))
    if found.corpus is None:
        print(f"✗ {registry.find(twin).in_params(found.problem) if twin else found.problem}")
        print("1 problem")
        return 1
    for name, many in contents(found.corpus).items():
        print(f"✓ {name:<10} {count(many)}")
    for reason, many in found.corpus.left_out.items():
        print(f"– {registry.find(twin).in_params(reason) if twin else reason}: {count(many)}")
    if best.left:
        print(f"– files of another kind: {shortened(', '.join(file.name for file in best.left))}")
    for remark in found.remarks:
        print(f"– {remark}")
    print("nothing is wrong")
    return 0


def _table(path: Path) -> bool:
    from twinloop.prognostics.data.files import SUFFIXES, kind_of

    return kind_of(path) in SUFFIXES


def _pictures(folder: Path) -> bool:
    from twinloop.vision.datasets.layouts import recognised
    from twinloop.vision.datasets.near import near

    return recognised(folder) is not None or bool(near(folder))


def _telemetry_beside(folder: Path) -> list[Path]:
    """Files below a folder of pictures that may be telemetry: tables, but for the one that says what shows one part."""
    from twinloop.prognostics.data.files import data_files, kind_of
    from twinloop.vision.datasets.parts import GROUPS_FILE

    return [path for path in data_files(folder) if kind_of(path) in TABLES and path.name != GROUPS_FILE]


def _annotated(folder: Path) -> bool:
    """Whether tables and texts in the folder are labels of its pictures."""
    from twinloop.vision.datasets.layouts import recognised

    layout = recognised(folder)
    return layout is not None and layout.annotated


def _tell_layout(path: Path, found: "Inspection | Heard", root: Path, twin: str, *, kind: str) -> None:
    """The layout that fits best, for which twin, and what else would fit. kind: the setting that names one."""
    best, *others = found.candidates
    sure = "" if not best.left else f", {percent(best.sureness, digits=0)} of the files"
    print(f"✓ layout     {best.layout.name} ({best.layout.looks_for}){sure}")
    if twin:
        print(f"✓ twin       {twin}: `{_command(twin, 'SourceSettings', best.layout.name, path, root)}`")
    for other in others:
        print(f"– or         {other.layout.name}: {kind}={other.layout.name} would read it as that")
    for line in found.near:
        print(f"– {line}")


def _tell_telemetry(path: Path, found: "Inspection", root: Path) -> int:
    """Layout, contents, leaks, what was left out; what is near where nothing fits."""
    twin, setting = _reader("DataSettings")
    if not found.candidates:
        print("✗ layout     none of these:")
        _list_layouts()
        for line in found.near:
            print(f"– near       {line}")
        return 1
    best = found.candidates[0]
    _tell_layout(path, found, root, twin, kind=setting("kind"))
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
    from twinloop.dialogue.datasets.layouts import LAYOUTS as OF_A_PERSON
    from twinloop.prognostics.data.layouts import LAYOUTS as TELEMETRY
    from twinloop.vision.datasets.layouts import LAYOUTS as PICTURES

    for layout in (*PICTURES, *TELEMETRY, *OF_A_PERSON):
        print(f"             {layout.name:<14} {layout.looks_for}")


def shortened(text: str) -> str:
    """A list short enough for a line."""
    return text if len(text) <= LONGEST_LIST else f"{text[: LONGEST_LIST - 1]}…"


def check_pictures(path: Path, root: Path, chosen: Mapping[str, Any] = MappingProxyType({})) -> int:
    """Print what a source of images holds; 1 where prepare would leave out a file or stop."""
    from twinloop.vision.datasets.inspection import inspect
    from twinloop.vision.datasets.settings import DatasetSettings

    with tempfile.TemporaryDirectory(prefix="twinloop-doctor-") as scratch:
        settings = _settings(DatasetSettings, chosen, kind="auto", source=str(path))
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
        classes = f"{len(found.classes)} classes" if len(found.classes) > 1 else "1 class"
        defects = sum(item.images for item in found.classes if item.label != "good")
        print(
            f"✓ images     {count(found.images)} in {classes}, {counted(found.parts, 'part')}; "
            f"{count(masks)} of {count(defects)} defective ones with a mask"
        )
        for item in found.classes:
            print(f"             {item.label:<24} {count(item.images)} ({counted(item.parts, 'part')})")
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
