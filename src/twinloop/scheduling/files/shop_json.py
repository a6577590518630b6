"""A whole problem as JSON, the form that loses nothing; every mistake is named with its place in the file."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from twinloop.config import Invalid, parse
from twinloop.config.schema import CONFIG, brief
from twinloop.contracts import Assignment
from twinloop.errors import InputError
from twinloop.files import write_json
from twinloop.scheduling.files.content import read_text
from twinloop.scheduling.problem import Calendar, Changeover, Job, JobShop, Material, Operator, Pool, Window

VERSION: Literal[2] = 2


@dataclass(frozen=True)
class Change:
    """The set-up time on a machine from one family to another."""

    __pydantic_config__: ClassVar[Any] = CONFIG

    machine: str
    before: str
    after: str
    time: int


@dataclass(frozen=True)
class Way:
    """The time from one machine to another."""

    __pydantic_config__: ClassVar[Any] = CONFIG

    start: str
    end: str
    time: int


@dataclass(frozen=True)
class ShopFile:
    """The file's layout: a JobShop whose mappings by pairs are lists."""

    __pydantic_config__: ClassVar[Any] = CONFIG

    version: Literal[2]
    machines: tuple[str, ...]
    jobs: tuple[Job, ...]
    closed: dict[str, tuple[Window, ...]] = field(default_factory=dict)
    setups: tuple[Change, ...] = ()
    transport: tuple[Way, ...] = ()
    pools: tuple[Pool, ...] = ()
    materials: tuple[Material, ...] = ()
    power: dict[str, int] = field(default_factory=dict)
    frozen: tuple[Assignment, ...] = ()
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    operators: tuple[Operator, ...] = ()
    ovens: dict[str, int] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    repeat: dict[str, int] = field(default_factory=dict)
    stops: dict[str, tuple[Window, ...]] = field(default_factory=dict)
    overtime: dict[str, tuple[Window, ...]] = field(default_factory=dict)
    changeovers: dict[str, Changeover] = field(default_factory=dict)


def shop_record(shop: JobShop) -> dict[str, Any]:
    """Plain JSON-like data that `shop_from` reads back to an equal shop."""
    file = ShopFile(
        version=VERSION,
        machines=shop.machines,
        jobs=shop.jobs,
        closed=dict(shop.closed),
        setups=tuple(
            Change(machine, before, after, time)
            for machine, times in shop.setups.items()
            for (before, after), time in times.items()
        ),
        transport=tuple(Way(start, end, time) for (start, end), time in shop.transport.items()),
        pools=shop.pools,
        materials=shop.materials,
        power=dict(shop.power),
        frozen=shop.frozen,
        groups=dict(shop.groups),
        operators=shop.operators,
        ovens=dict(shop.ovens),
        calendars=dict(shop.calendars),
        repeat=dict(shop.repeat),
        stops=dict(shop.stops),
        overtime=dict(shop.overtime),
        changeovers=dict(shop.changeovers),
    )
    record = dataclasses.asdict(file)
    for job in record["jobs"]:
        if job["price"] is None:
            del job["price"]  # a file without prices is the same as before there were any
    return record


def shop_from(content: Any, where: str) -> JobShop:
    """The shop of plain data. Raises InputError that starts with `where` and names the place."""
    if not isinstance(content, dict):
        raise InputError(f"{where}: expected an object with version, machines and jobs, got {type(content).__name__}")
    if content.get("version") != VERSION:
        remedy = "" if "version" in content else f': add "version": {VERSION}'
        raise InputError(f"{where}: expected version {VERSION}, found {brief(content.get('version'))}{remedy}")
    try:
        file = parse(ShopFile, content)
    except Invalid as error:
        raise InputError(f"{where}: {' '.join(str(error).split())}") from None
    setups: dict[str, dict[tuple[str, str], int]] = {}
    for change in file.setups:
        setups.setdefault(change.machine, {})[change.before, change.after] = change.time
    try:
        return JobShop(
            machines=file.machines,
            jobs=file.jobs,
            closed=file.closed,
            setups=setups,
            transport={(way.start, way.end): way.time for way in file.transport},
            pools=file.pools,
            materials=file.materials,
            power=file.power,
            frozen=file.frozen,
            groups=file.groups,
            operators=file.operators,
            ovens=file.ovens,
            calendars=file.calendars,
            repeat=file.repeat,
            stops=file.stops,
            overtime=file.overtime,
            changeovers=file.changeovers,
        )
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def write_shop(path: str | Path, shop: JobShop) -> None:
    """Write JSON that `read_shop` reads back to an equal shop."""
    write_json(path, shop_record(shop))


def read_shop(path: str | Path) -> JobShop:
    """Read the JSON that `write_shop` writes. Raises InputError that names the file and the place."""
    path = Path(path)
    return shop_from(plain_json(read_text(path).text, path), str(path))


def plain_json(text: str, path: Path) -> Any:
    """The plain data of a text. Raises InputError with its line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        comment = "//" in text.splitlines()[error.lineno - 1] if text.strip() else False
        remedy = ": JSON has no comments: remove them" if comment else ""
        raise InputError(f"{path}:{error.lineno}: expected JSON: {error.msg}{remedy}") from None
    except (RecursionError, ValueError) as error:
        # Nested without end, or a number of thousands of digits.
        raise InputError(f"{path}: expected JSON of a shop: {error}") from None
