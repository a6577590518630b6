"""Functions as machine code (numba), compiled at their first call and kept on disk for the next process.

numba notices only a change of the file a function stands in, not of what that imports, and would go on running old
machine code; so what is kept is stamped with a digest of all sources that an engine's machine code is made of. It lies
where numba keeps its own: below $NUMBA_CACHE_DIR, which checkouts may share, beside the sources, or with the user's.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import numba
from numba.core import caching

P = ParamSpec("P")
R = TypeVar("R")
CONFIG: Any = numba.config
PACKAGE = Path(__file__).parent
# Attribute of a function: the digest of its engine's sources.
DIGEST = "sources_digest"


class Decorator(Protocol):
    """Makes a function of Python one of machine code."""

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]: ...


class _Stamped:
    """A place for compiled functions in which they are outdated when any source of their engine changes.

    Each state of the sources has a folder of its own: numba reads what another state left before it looks at the stamp,
    and fails where that names a class that is no more.
    """

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)  # type: ignore[call-arg]
        self._digest = str(getattr(py_func, DIGEST))

    def get_cache_path(self) -> str:
        return str(Path(super().get_cache_path()) / self._digest[:16])  # type: ignore[misc]

    def get_source_stamp(self) -> str:
        return self._digest


class Given(_Stamped, caching.UserProvidedCacheLocator):
    """Below $NUMBA_CACHE_DIR, by the name of the package and not by where the checkout lies."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        return ".".join(Path(py_file).relative_to(PACKAGE.parent).parts[:-1])


class Beside(_Stamped, caching.InTreeCacheLocator):
    """In __pycache__ beside the sources."""


class OfUser(_Stamped, caching.UserWideCacheLocator):
    """In the user's cache, where the sources cannot be written to."""


LOCATORS = ",".join(f"{place.__module__}.{place.__name__}" for place in (Given, Beside, OfUser))


def sources_digest(sources: Iterable[Path]) -> str:
    """A digest of what these files say."""
    digest = hashlib.sha256()
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def kept(function: Any) -> bool:
    """Whether a function's machine code lies on disk, compiled from these very sources."""
    return Path(function._cache._cache_file._index_path).is_file()


def compiler(sources: Iterable[Path], **options: Any) -> Decorator:
    """A decorator: the function compiled for the types it is called with; no Python objects inside.

    sources: all files that it and the functions it calls are made of. options: of `numba.njit`.
    """
    digest = sources_digest(sources)

    def machine_code(function: Callable[P, R]) -> Callable[P, R]:
        setattr(function, DIGEST, digest)
        given, CONFIG.CACHE_LOCATOR_CLASSES = CONFIG.CACHE_LOCATOR_CLASSES, LOCATORS
        try:
            return cast(Callable[P, R], numba.njit(cache=True, nogil=True, **options)(function))
        finally:
            CONFIG.CACHE_LOCATOR_CLASSES = given

    return machine_code
