"""A problem from whatever file it is in."""

from collections.abc import Callable, Mapping
from pathlib import Path

from twinloop.scheduling.files.shop_json import read_shop
from twinloop.scheduling.files.table import read_table
from twinloop.scheduling.files.text import read_instance
from twinloop.scheduling.problem import JobShop

READERS: Mapping[str, Callable[[Path], JobShop]] = {".json": read_shop, ".csv": read_table}


def read_problem(path: Path) -> JobShop:
    """JSON and CSV by their endings, anything else as a JSP or FJSP instance. Raises InputError with file:row."""
    return READERS.get(path.suffix.lower(), read_instance)(path)
