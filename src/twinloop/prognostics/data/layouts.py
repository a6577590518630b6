"""Every layout that is read, and the recogniser: it looks at all data files of a source, the most telling layout first.

To add one, write a module with `claims` and `read` and enter it here and in settings.Kind.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from twinloop.errors import InputError
from twinloop.prognostics.data import ai4i, azure, cmapss, nab, obd, plain_table
from twinloop.prognostics.data.files import data_files
from twinloop.prognostics.data.leaks import without_hidden_labels
from twinloop.prognostics.data.record import Record
from twinloop.prognostics.data.settings import DataSettings


@dataclass(frozen=True)
class Layout:
    """name: as in DataSettings.kind. looks_for: what it is recognised by. claims: the files of it among those given."""

    name: str
    looks_for: str
    claims: Callable[[list[Path]], list[Path]]
    reader: Callable[[list[Path], DataSettings], Record]

    def read(self, files: list[Path], settings: DataSettings) -> Record:
        """The files' record, without columns that give the label away unless they are asked for."""
        record = self.reader(files, settings)
        return record if settings.with_leaks else without_hidden_labels(record)


LAYOUTS = (
    Layout("cmapss", "rows of 26 numbers in train_*, test_* and RUL_*", cmapss.claims, cmapss.read),
    Layout("azure", "datetime, machineID, volt, rotate, pressure, vibration", azure.claims, azure.read),
    Layout("ai4i", "air and process temperature, speed, torque, tool wear, failure", ai4i.claims, ai4i.read),
    Layout("obd", "ENGINE_RPM, VEHICLE_SPEED, COOLANT_TEMPERATURE", obd.claims, obd.read),
    Layout("nab", "timestamp,value and a JSON file of windows", nab.claims, nab.read),
    Layout("table", "a table with a time and numbers", plain_table.claims, plain_table.read),
)
BY_NAME = {layout.name: layout for layout in LAYOUTS}


@dataclass(frozen=True)
class Recognised:
    """A layout that a source may be: the files that it claims, those it leaves, and its share of them (0 to 1)."""

    layout: Layout
    files: tuple[Path, ...]
    left: tuple[Path, ...]

    @property
    def sureness(self) -> float:
        return len(self.files) / (len(self.files) + len(self.left))


def recognise(source: Path) -> tuple[Recognised, ...]:
    """Every layout that claims a file of the source, that with most files first, of equal ones the more telling.

    Raises InputError for a source that is not there.
    """
    files = data_files(source)
    claimed = [(layout, layout.claims(files)) for layout in LAYOUTS]
    candidates = [
        Recognised(layout, tuple(own), tuple(path for path in files if path not in set(own)))
        for layout, own in claimed
        if own
    ]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.sureness))


def read(source: Path, settings: DataSettings) -> Record:
    """All of a source in the layout that `settings.kind` names or that is recognised; files left out are counted.

    Raises InputError where nothing fits, and where the layout named or recognised claims less than half of the files.
    """
    candidates = recognise(source)
    if settings.kind != "auto":
        candidates = tuple(one for one in candidates if one.layout.name == settings.kind)
    if not candidates:
        looked = BY_NAME[settings.kind].looks_for if settings.kind != "auto" else f"one of {', '.join(BY_NAME)}"
        raise InputError(f"data: {source}: expected {looked}, no file is that: see DataSettings.source and kind")
    best = candidates[0]
    if settings.kind == "auto" and best.sureness < 0.5:
        left = ", ".join(path.name for path in best.left[:3])
        raise InputError(
            f"data: {source}: {len(best.files)} of {len(best.files) + len(best.left)} files look like "
            f"{best.layout.name}, not {left}: name the layout in DataSettings.kind, or the file in source"
        )
    record = best.layout.read(list(best.files), settings)
    if not best.left:
        return record
    return replace(record, left_out={**record.left_out, "files of another kind": len(best.left)})
