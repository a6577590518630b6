"""A small order book to begin with: what the sheets Orders, Machines and Calendar hold."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from twinloop.scheduling.files.workbook import save_sheets

MADE = {
    "bracket": (("saw", "0:40"), ("mill_1|mill_2", "2:30"), ("drill", "1:10")),
    "flange": (("saw", "0:30"), ("lathe", "3:00"), ("drill", "0:50")),
    "shaft": (("saw", "0:20"), ("lathe", "2:15"), ("mill_1|mill_2", "1:30")),
}
ORDERS = (
    ("A-1040", "bracket", datetime(2026, 12, 1, 10, 0), 1),
    ("A-1041", "flange", datetime(2026, 12, 1, 12, 0), 2),
    ("A-1042", "shaft", datetime(2026, 12, 1, 16, 0), 1),
    ("A-1043", "bracket", datetime(2026, 12, 1, 14, 0), 4),
    ("A-1044", "flange", datetime(2026, 12, 1, 15, 0), 1),
    ("A-1045", "shaft", date(2026, 12, 2), 2),
    ("A-1046", "bracket", date(2026, 12, 2), 1),
    ("A-1047", "flange", date(2026, 12, 2), 1),
)


def write_example(path: str | Path) -> None:
    """Write the workbook; it belongs to a start on 1 December 2026, 06:00."""
    orders: list[list[Any]] = [["order", "operation", "machine", "duration", "due", "weight", "customer"]]
    for name, product, due, weight in ORDERS:
        for number, (machines, duration) in enumerate(MADE[product], start=1):
            for machine in machines.split("|"):
                orders.append([name, 10 * number, machine, duration, due, weight, f"{product}s for a customer"])
    rates: list[list[Any]] = [["machine", "mttf (h)", "mttr"], ["saw", 60, "0:45"], ["mill_1", 40, "1:30"]]
    rates += [["mill_2", 40, "1:30"], ["lathe", 50, "2:00"], ["drill", None, None]]
    calendar: list[list[Any]] = [["machine", "start", "end"]]
    calendar += [["all", datetime(2026, 12, 1, 22, 0), datetime(2026, 12, 2, 6, 0)]]
    calendar += [["lathe", datetime(2026, 12, 1, 12, 0), datetime(2026, 12, 1, 13, 0)]]
    save_sheets(path, {"Orders": orders, "Machines": rates, "Calendar": calendar})
