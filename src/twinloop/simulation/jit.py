"""Functions as machine code (numba), compiled at their first call and kept on disk for the next process.

They own no memory: arrays come in as arguments, none is made inside and none is returned. So nobody need count who
holds an array, and numba is told not to (_nrt): counting took three quarters of the engine's time.

numba notices only a change of the file a function stands in, not of what it imports, and would go on running old
machine code; so what is kept lies in a folder named by a digest of all sources that machine code is made of.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")
CONFIG: Any = numba.config
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
HERE = Path(__file__).parent
SOURCES = (Path(__file__), HERE / "events" / "log.py", HERE / "events" / "tally.py", *HERE.glob("compiled/*.py"))


def sources_digest() -> str:
    """A digest of everything machine code is made of."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(SOURCES):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def kept_in() -> str:
    """The folder of compiled functions: below $NUMBA_CACHE_DIR, else beside the sources, else where numba chooses."""
    given = CONFIG.CACHE_DIR
    if not given and not os.access(HERE, os.W_OK):
        return ""
    return str(Path(given or HERE / "__pycache__") / f"machine_code_{sources_digest()}")


KEPT_IN = kept_in()


def machine_code(function: Callable[P, R]) -> Callable[P, R]:
    """The function compiled for the types it is called with; no Python objects inside."""
    given, CONFIG.CACHE_DIR = CONFIG.CACHE_DIR, KEPT_IN
    try:
        return cast(Callable[P, R], numba.njit(**OPTIONS)(function))
    finally:
        CONFIG.CACHE_DIR = given
