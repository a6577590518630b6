"""A look at a source of telemetry before it is prepared: which layout it is, what is in it, what is left out and why.

All of it is read just as prepare would read it, and nothing is kept. Where no layout fits, it is said which ones are
near and what they lack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twinloop.errors import InputError
from twinloop.prognostics.data import ai4i, azure, nab, obd
from twinloop.prognostics.data.files import columns, data_files, kind_of, plain
from twinloop.prognostics.data.headings import roles_of
from twinloop.prognostics.data.layouts import Recognised, recognise
from twinloop.prognostics.data.record import Record
from twinloop.prognostics.data.settings import DataSettings

# Columns by which a layout is known.
TELLING = {
    "azure": (*azure.KEY, *azure.SENSORS),
    "ai4i": (*ai4i.TELLING, ai4i.FAILED[0]),
    "obd": tuple(name.lower() for name in obd.TELLING),
    "nab": tuple(nab.HEADER),
}
NEAR = 0.5


@dataclass(frozen=True)
class Inspection:
    """What was found. candidates: layouts that claim files, the surest first. record: what was read, where it could be.

    problem: why it could not. near: what layouts that do not fit lack, a sentence each.
    """

    candidates: tuple[Recognised, ...]
    record: Record | None = None
    problem: str = ""
    near: tuple[str, ...] = ()


def inspect(source: Path, settings: DataSettings) -> Inspection:
    """Recognise and read a file or folder. Raises InputError for a source that is not there."""
    candidates = recognise(source)
    if settings.kind != "auto":
        candidates = tuple(one for one in candidates if one.layout.name == settings.kind)
    if not candidates:
        return Inspection((), near=_near(source))
    best = candidates[0]
    try:
        return Inspection(candidates, best.layout.read(list(best.files), settings), near=_without_labels(best))
    except InputError as error:
        return Inspection(candidates, problem=str(error))


def _near(source: Path) -> tuple[str, ...]:
    told: list[str] = []
    for path in data_files(source):
        names = {plain(name)[0] for name in columns(path)} if kind_of(path) != ".json" else set()
        if not names:
            continue
        before = len(told)
        for layout, telling in TELLING.items():
            missing = [name for name in telling if name not in names]
            if 0 < len(missing) <= (1 - NEAR) * len(telling):
                told.append(f"{path.name} is near {layout}: it lacks {_listed(missing)}")
        if len(told) == before:
            told.append(
                f"{path.name} has no column of numbers beside asset and time: name what is measured"
                if roles_of(columns(path)).time
                else f"{path.name} has no column that is a time: name it timestamp (ISO 8601) or time_min (minutes), "
                "and the assets' column asset"
            )
    return tuple(told[:5])


def _without_labels(best: Recognised) -> tuple[str, ...]:
    """Series that look like the benchmark's, but without its windows, are read as a plain table."""
    series = [path.name for path in best.files if columns(path) == nab.HEADER] if best.layout.name == "table" else []
    if not series:
        return ()
    return (f"{series[0]} is near nab: it lacks a JSON file of windows that names it, so that no anomaly is labelled",)


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
