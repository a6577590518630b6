"""Published weights, named by what they hold: SHA-256 per file, whoever hands the same bytes out.

They are looked for in a folder that the user names, in an installed package (found by its metadata; its code is never
imported) and in the hub's cache, and are used from the first place whose every file is what was published.
Engines look at no environment: where the cache lies, and what to do without the weights, comes from the caller.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from twinloop.errors import RunError
from twinloop.files import sha256


@dataclass(frozen=True)
class Weights:
    """A set of files that belong together.

    name: as people call it. files: name → SHA-256 in hex. package: of the index that ships them, and `inside` the
    folder within it. repository: of the hub.
    """

    name: str
    files: Mapping[str, str]
    package: str
    inside: str
    repository: str = ""


@dataclass(frozen=True)
class Places:
    """Where weights are looked for besides installed packages.

    folder: of one's own, named first. hub_cache: the hub's, as `huggingface_hub` keeps it. remedy: what a message tells
    to do where weights are missing.
    """

    folder: Path | None = None
    hub_cache: Path | None = None
    remedy: str = "install the package or name a folder that holds them"


def find(weights: Weights, places: Places) -> Path:
    """The folder that holds every file of `weights` as published.

    Raises RunError where there is none, naming what is missing or what was altered.
    """
    faults = []
    for place, folder in _candidates(weights, places):
        fault = _fault(weights, folder)
        if fault is None:
            return folder
        faults.append(f"{place}: {fault}")
    reason = "; ".join(faults) if faults else f"package {weights.package} is not installed"
    raise RunError(f"weights: {weights.name}: {reason}: {places.remedy}")


def _candidates(weights: Weights, places: Places) -> Iterator[tuple[str, Path]]:
    if places.folder is not None:
        yield str(places.folder), places.folder
    packaged = _package_folder(weights)
    if packaged is not None:
        yield f"package {weights.package}", packaged
    if places.hub_cache is not None and weights.repository:
        stored = places.hub_cache / f"models--{weights.repository.replace('/', '--')}" / "snapshots"
        for revision in sorted(stored.glob("*")):
            yield f"hub's cache, revision {revision.name[:8]}", revision


def _package_folder(weights: Weights) -> Path | None:
    try:
        distribution = metadata.distribution(weights.package)
    except metadata.PackageNotFoundError:
        return None
    return Path(str(distribution.locate_file(weights.inside)))


def _fault(weights: Weights, folder: Path) -> str | None:
    """What keeps the folder from being used; None where nothing does."""
    for name, digest in weights.files.items():
        path = folder / name
        if not path.is_file():
            return f"no {name}"
        found = sha256(path)
        if found != digest:
            return f"{name} is not what was published (sha256 {found[:12]}…, expected {digest[:12]}…)"
    return None
