"""A problem from whatever file it is in, and into one."""

from collections.abc import Callable, Mapping
from pathlib import Path

from twinloop.scheduling.files.shop_json import read_shop, write_shop
from twinloop.scheduling.files.table import read_table, write_table
from twinloop.scheduling.files.text import read_instance, write_fjsp, write_jsp
from twinloop.scheduling.problem import JobShop

READERS: Mapping[str, Callable[[Path], JobShop]] = {".json": read_shop, ".csv": read_table}
WRITERS: Mapping[str, Callable[[Path, JobShop], None]] = {".json": write_shop, ".csv": write_table}


def read_problem(path: Path) -> JobShop:
    """JSON and CSV by their endings, anything else as a JSP or FJSP instance. Raises InputError with file:row."""
    return READERS.get(path.suffix.lower(), read_instance)(path)


def write_problem(path: Path, shop: JobShop) -> None:
    """JSON and CSV by their endings, anything else as a JSP instance, or an FJSP one where machines can be chosen.

    Raises InputError for what the format cannot say.
    """
    instance = write_fjsp if shop.flexible else write_jsp
    WRITERS.get(path.suffix.lower(), instance)(path, shop)
