"""`twinloop doctor`: what this machine has, and what each gap costs."""

import importlib.metadata
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from twinloop.twins import configuration

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
FREE_GB = 5


@dataclass(frozen=True)
class Finding:
    """One check: whether it holds, whether the default run needs it, and what it found or costs."""

    what: str
    ok: bool
    needed: bool
    told: str


def findings(root: Path, twins: Sequence[str]) -> list[Finding]:
    """Every check, in the order a newcomer would fix them; the data of `twins` alone."""
    return list(_checks(root, twins))


def _checks(root: Path, twins: Sequence[str]) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info[:2] == (3, 11), True, f"{version} (expected 3.11)")
    yield _packages(root / "constraints.txt")
    git = shutil.which("git")
    yield Finding("git", git is not None, True, git or "missing: DVC needs it; install git")
    yield _gpu()
    yield _tensorrt()
    yield _params(root)
    yield _store(root)
    yield _folder("cache", root / ".dvc/cache", "DVC's cache", "empty: the first run fills it")
    for twin in twins:
        gap = f"not prepared yet: `make repro TWIN={twin}`"
        yield _folder(f"{twin} data", root / "data" / twin, f"data/{twin}", gap)
    if "person" in twins:
        yield from _weights(root / "constraints-weights.txt")
        yield from _voices()
    free = shutil.disk_usage(root).free / 1e9
    yield Finding("disk", free >= FREE_GB, True, f"{free:.0f} GB free (a default run needs about {FREE_GB})")
    yield Finding("cores", True, False, f"{os.cpu_count()} (the README's times are for 2)")


def _packages(constraints: Path) -> Finding:
    pins = PIN.findall(constraints.read_text(encoding="utf-8"))
    wrong = [name for name, version in pins if _installed(name) not in (version, version.partition("+")[0])]
    told = (
        f"{len(pins)} as pinned"
        if not wrong
        else f"{len(wrong)} of {len(pins)} differ ({', '.join(wrong[:4])}): `make setup`"
    )
    return Finding("packages", not wrong, True, told)


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return None


def _gpu() -> Finding:
    driver = shutil.which("nvidia-smi")
    return Finding(
        "gpu",
        driver is not None,
        False,
        driver or "none: training runs on the CPU (the default profile is made for it)",
    )


def _tensorrt() -> Finding:
    version = _installed("tensorrt")
    return Finding(
        "tensorrt", version is not None, False, version or "not installed: export skips the engine and says so"
    )


def _weights(constraints: Path) -> Iterator[Finding]:
    """Each published weight of the person: there, and of the digest that it is named by."""
    from twinloop.dialogue.models.minilm import MINILM
    from twinloop.dialogue.speech.recognisers.whisper import TINY_EN
    from twinloop.dialogue.speech.speakers.encoder import RESEMBLYZER
    from twinloop.errors import RunError
    from twinloop.learning.weights import Places, find
    from twinloop.twins.person.chain import hub_cache

    costs = (
        (
            "encoder weights",
            MINILM,
            "questions are found by words, or by an encoder that is learnt here (person/providers=embedded)",
        ),
        (
            "hearing weights",
            TINY_EN,
            "recordings are heard by PocketSphinx, four times as many wrong words (person/providers=embedded)",
        ),
        ("speaker weights", RESEMBLYZER, "speakers are told apart by an encoder that is trained here"),
    )
    pinned = dict(PIN.findall(constraints.read_text(encoding="utf-8"))) if constraints.is_file() else {}
    for what, weights, cost in costs:
        try:
            folder = find(weights, Places(hub_cache=hub_cache(), remedy=f"`make setup`; without them {cost}"))
        except RunError as error:
            yield Finding(what, False, False, str(error).removeprefix("weights: "))
            continue
        installed = _installed(weights.package)
        version = f" {installed}" if installed else f" from {folder}"
        differs = (
            "" if installed in (None, pinned.get(weights.package)) else f" (pinned: {pinned.get(weights.package)})"
        )
        yield Finding(what, True, False, f"{weights.name}{version}, as published{differs}")


def _voices() -> Iterator[Finding]:
    """The synthesisers that speak replies, and questions to learn and judge by."""
    for program, cost in {
        "flite": "replies stay text, nothing spoken is judged",
        "espeak-ng": "commands are learnt, and hearing is judged, by fewer voices",
    }.items():
        path = shutil.which(program)
        told = path or f"missing: {cost}; `make setup`, or apt-get install {program}"
        yield Finding(program, path is not None, False, told)


def _params(root: Path) -> Finding:
    from twinloop.errors import InputError

    try:
        configuration.check(root)
    except InputError as error:
        return Finding("configuration", False, True, str(error))
    return Finding("configuration", True, True, "params.yaml fits conf/")


def _store(root: Path) -> Finding:
    where = configuration.store_location(root)
    if "://" in where:
        return Finding("mlflow store", True, False, f"{where} (from MLFLOW_TRACKING_URI)")
    exists = (root / where).is_file()
    return Finding("mlflow store", exists, False, where if exists else f"{where}: made by the first run")


def _folder(what: str, path: Path, content: str, gap: str) -> Finding:
    filled = path.is_dir() and any(path.iterdir())
    return Finding(what, filled, False, content if filled else gap)
