"""The workshop's book as a registered model: requests in (availability, book, move, cancel), days out.

A version is identified by the book that it begins with and the release of the package.
"""

import json
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twinloop.files import fingerprint, write_json
from twinloop.scheduling.booking.bookings import Bookings
from twinloop.scheduling.booking.records import book_record
from twinloop.tracking.execution import Execution
from twinloop.tracking.registering import Registration, register, save_script
from twinloop.tracking.store import Store
from twinloop.twins.fleet.twin import TWIN

KIND = "booking"
SCRIPT = Path(__file__).with_name("served_booking.py")
CARD = (
    "A workshop's book. A column `request` with JSON in: `action` (availability, book, move, cancel), `asset`, `day`, "
    "or `skill` and `minutes` of work of one's own; its status, day, cost, who else moves and other slots out."
)
# What booking imports.
REQUIREMENTS = ("mlflow", "numpy", "ortools", "polars", "pyarrow", "pydantic", "pyyaml", "scipy")


def register_booking(store: Store, execution: Execution, *, book: Bookings, assets: Sequence[str]) -> str:
    """The version of the registered book that begins as this one; a new one only where there is none.

    assets: all that may be booked. Raises RunError where the store does not take it.
    """
    record = booking_record(book, assets)
    digest = fingerprint({"book": record, "release": version("twinloop")})
    return register(
        store,
        execution,
        Registration(TWIN.registered(KIND), KIND, digest, CARD),
        save=lambda folder: save_booking(folder, book=book, assets=assets),
    )


def booking_record(book: Bookings, assets: Sequence[str]) -> dict[str, Any]:
    """What is served, as plain values."""
    return {"assets": sorted(assets), "book": book_record(book)}


def save_booking(folder: Path, *, book: Bookings, assets: Sequence[str]) -> None:
    """Write the MLflow model to the new folder: the book, code, signature, an example."""
    from mlflow.types import DataType
    from mlflow.types.schema import Array, Object, Property

    moved = {"asset": "string", "from_day": "long", "to_day": "long"}
    slots = {"day": "long", "cost": "double", "moves": "long"}

    def rows(kinds: dict[str, str]) -> Any:
        return Array(Object([Property(name, DataType[kind], required=False) for name, kind in kinds.items()]))

    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "book.json"
        write_json(path, booking_record(book, assets))
        save_script(
            folder,
            SCRIPT,
            artifacts={"book": path},
            inputs={"request": DataType.string},
            answers={
                "status": DataType.string,
                "day": DataType.long,
                "cost": DataType.double,
                "moved": rows(moved),
                "slots": rows(slots),
            },
            example={"request": [json.dumps({"action": "availability", "asset": next(iter(sorted(assets)), "")})]},
            requirements=REQUIREMENTS,
        )
