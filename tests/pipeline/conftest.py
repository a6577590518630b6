"""The loops of all twins, run once for real with profile smoke: every pipeline test looks at this run or goes on."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.conftest import Once, run_in
from tests.prognostics.data import written
from tests.simulation.pricing.written import plain
from tests.vision.datasets.images import put, spot, texture
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import RATE, write_audio
from twinloop.files import sha256
from twinloop.scheduling.files.example import write_example
from twinloop.scheduling.problem import Job, JobShop, Operation, Window
from twinloop.twins.factory import paths

COMMAND = ("python", "-m", "twinloop", "repro", "--profile", "smoke")
MINE, TILES = Path("data/source/mine"), Path("data/source/tiles")
TELEMETRY, ENGINES = Path("data/source/telemetry"), Path("data/source/cmapss")
PEOPLE = Path("data/source/person")


@dataclass(frozen=True)
class Loop:
    """A clone in which the loops have run, and what that run printed. made: the same, which no test touches."""

    clone: Path
    first: subprocess.CompletedProcess[str]
    made: Path

    def run(self, *command: str, check: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        """A command of a user in this clone."""
        return run_in(self.clone, *command, check=check, **extra)


@pytest.fixture(scope="session")
def looped(fresh_clone: Callable[[], Path], once: Once) -> Path:
    """`make repro PROFILE=smoke` in a fresh clone (without make's own set-up, which has been done), once."""

    def make(shared: Path) -> None:
        clone = fresh_clone()
        first = run_in(clone, *COMMAND, TWINLOOP_WORKERS="2")
        shutil.copytree(clone, shared / "twinloop", symlinks=True)
        (shared / "printed.json").write_text(json.dumps({"stdout": first.stdout, "stderr": first.stderr}))

    return once("loop", make)


def copied(looped: Path, folder: Path) -> Loop:
    shutil.copytree(looped / "twinloop", folder / "twinloop", symlinks=True)
    said = json.loads((looped / "printed.json").read_text(encoding="utf-8"))
    return Loop(folder / "twinloop", subprocess.CompletedProcess(COMMAND, 0, **said), looped / "twinloop")


@pytest.fixture(scope="session")
def loop(looped: Path, tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """A copy of the loop as the run left it."""
    return copied(looped, tmp_path_factory.mktemp("loop"))


@pytest.fixture(scope="module")
def used(looped: Path, tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """Another copy, with a user's own files where README has them, and the environment that make looks for."""
    loop = copied(looped, tmp_path_factory.mktemp("used"))
    with_images(loop.clone)
    with_telemetry(loop.clone / TELEMETRY)
    written.cmapss(loop.clone / ENGINES)
    shop = JobShop(
        ("saw", "mill"),
        (Job("a", (Operation("saw", 30), Operation("mill", 40)), due=90), Job("b", (Operation("saw", 20),), due=60)),
        closed={machine: (Window(960, 1440),) for machine in ("saw", "mill")},
    )
    shop.write(loop.clone / "shop.json")
    plain(loop.clone / "scores.csv")
    ada = loop.clone / PEOPLE / "ada"
    (ada / "documents").mkdir(parents=True, exist_ok=True)
    (ada / "profile.json").write_text('{"name": "Ada"}')
    (ada / "documents/boat.txt").write_text("The boat was painted red by Carla.")
    (loop.clone / "contracts").mkdir(exist_ok=True)
    (loop.clone / "contracts/pump.txt").write_text("The warranty on the pump ends on 3 March 2027.")
    question = Audio(0.2 * np.sin(np.arange(RATE) * 2 * np.pi * 220 / RATE).astype(np.float32), RATE)
    write_audio(loop.clone / "question.wav", question)
    (loop.clone / "bea.yaml").write_text("who: Bea\nvoice: none\n")
    # README makes it with a command of its own, which another worker may run.
    write_example(loop.clone / "orders.xlsx")
    (loop.clone / ".venv").symlink_to(sys.prefix)
    return loop


def with_images(clone: Path) -> None:
    """Folders of images: some of the kind that the detector knows, and some in the layout of the magnetic tiles."""
    for place, image in enumerate(sorted((clone / paths.DATASET).rglob("*.png"))[:120]):
        label = clone / MINE / ("good" if place % 2 else "scratch")
        label.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, label / f"{place:03d}.png")
    # Six exposures of each tile, or neighbours would be taken for one part.
    for number in range(120):
        tile, exposure = divmod(number, 6)
        label = ("MT_Free", "MT_Blowhole", "MT_Free", "MT_Crack")[tile % 4]
        defect = spot(height=48, width=48) * (label != "MT_Free")
        pixels = texture(tile, height=48, width=48)
        stem = clone / TILES / label / "Imgs" / f"exp{exposure + 1}_num_{20 * number}"
        put(stem.with_suffix(".jpg"), np.where(defect > 0, 255 - pixels, pixels).astype(np.uint8))
        put(stem.with_suffix(".png"), defect.astype(np.uint8))


def with_telemetry(folder: Path) -> None:
    """Readings of two vehicles with their zone, and a failure of each."""
    hours = [f"2026-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z" for hour in range(240)]
    rows = [f"{asset},{at},{20 + place % 7},{place * 0.1:.1f}" for asset in "ab" for place, at in enumerate(hours)]
    written.lines(folder / "telemetry.csv", "asset,time,speed,temperature", *rows)
    failures = [f"{asset},2026-01-08T00:00:00Z,pump" for asset in "ab"]
    written.lines(folder / "failures.csv", "asset,time,component", *failures)


def outs(clone: Path, twin: str, verb: str) -> set[str]:
    """What a stage has made, by dvc.lock."""
    lock = yaml.load((clone / "dvc.lock").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {out["path"] for out in lock["stages"][f"{twin}-{verb}"]["outs"]}


def digests(root: Path, made: set[str]) -> dict[str, str]:
    """Of every file that these outs are or hold."""
    files = [file for out in made for file in ((root / out).rglob("*") if (root / out).is_dir() else [root / out])]
    return {str(file.relative_to(root)): sha256(file) for file in files if file.is_file()}
