"""A problem from whatever file it is in, known by what the file holds, and into one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from twinloop.content import kind_of
from twinloop.errors import InputError, nearest
from twinloop.scheduling.clock import Clock
from twinloop.scheduling.files import jobshoplib, pyjobshop
from twinloop.scheduling.files.content import decoded, read_bytes
from twinloop.scheduling.files.instances import KINDS, read_instance
from twinloop.scheduling.files.json_times import in_minutes
from twinloop.scheduling.files.orders import read_book
from twinloop.scheduling.files.reading import How, Reading
from twinloop.scheduling.files.shop_json import plain_json, shop_from, write_shop
from twinloop.scheduling.files.table import folder_sheets, looks_like_table, table_sheets, write_folder, write_table
from twinloop.scheduling.files.text import write_fjsp, write_jsp
from twinloop.scheduling.files.workbook import workbook_sheets, write_workbook
from twinloop.scheduling.problem import JobShop

TABLES = (".csv", ".tsv")
WRITERS: Mapping[str, Callable[[Path, JobShop], None]] = {
    ".json": write_shop,
    ".csv": write_table,
    ".xlsx": write_workbook,
}


def read_problem(
    path: str | Path,
    *,
    kind: str | None = None,
    first_machine: int | None = None,
    start: str | datetime | None = None,
    zone: str | None = None,
) -> Reading:
    """A shop and what the file was taken for: JSON, an order book (CSV, XLSX, a folder), or a text instance.

    kind, first_machine: of a text instance that fits two formats. start: the moment of minute 0, with its offset or in
    the zone. zone: in which local dates are read. Raises InputError with file:row for what cannot be read, or is not
    sure.
    """
    path = Path(path)
    if kind is not None and kind not in KINDS:
        raise InputError(f"kind = {kind!r}: unknown; {nearest(kind, KINDS)}")
    if first_machine not in (None, 0, 1):
        raise InputError(f"first_machine = {first_machine!r}: expected 0 or 1")
    if start is None and zone is not None:
        raise InputError(f"zone = {zone!r}: of which start? give the moment of minute 0 as start")
    how = How(kind, first_machine, None if start is None else Clock.of(start, zone))
    if path.is_dir():
        return read_book(folder_sheets(path), path, how.clock)
    content = read_bytes(path)
    if kind_of(content, path.name) == "an XLSX workbook":
        return read_book(workbook_sheets(content, path), path, how.clock)
    text, note = decoded(content, path)
    reading = _of_text(text, path, how)
    return (
        replace(reading, notes=(*reading.notes, note), clock=how.clock) if note else replace(reading, clock=how.clock)
    )


def _of_text(text: str, path: Path, how: How) -> Reading:
    if path.suffix.lower() == ".json" or text.lstrip()[:1] in ("{", "["):
        return _of_json(plain_json(text, path), path, how)
    if path.suffix.lower() in TABLES or looks_like_table(text):
        return read_book(table_sheets(text, path), path, how.clock)
    return read_instance(text, path, how)


def _of_json(content: Any, path: Path, how: How) -> Reading:
    if jobshoplib.recognised(content):
        return jobshoplib.read_jobshoplib(content, path)
    if pyjobshop.recognised(content):
        return pyjobshop.read_pyjobshop(content, path)
    if isinstance(content, dict) and content and all(jobshoplib.recognised(value) for value in content.values()):
        raise InputError(f"{path}: holds {len(content)} instances of JobShopLib: keep one of them")
    content = in_minutes(content, how.clock, str(path))
    return Reading(shop_from(content, str(path)), "shop (JSON)", minutes=True)


def write_problem(path: Path, shop: JobShop) -> None:
    """JSON, CSV and XLSX by their endings, else a JSP instance, or an FJSP one where machines can be chosen.

    A folder, which must be there, gets the tables of an order book. Raises InputError for what the form cannot say.
    """
    if path.is_dir():
        write_folder(path, shop)
        return
    instance = write_fjsp if shop.flexible else write_jsp
    WRITERS.get(path.suffix.lower(), instance)(path, shop)
