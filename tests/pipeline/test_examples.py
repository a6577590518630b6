"""Every command that README and --help show is run after a smoke run, as a user would; one that is new fails here.

Commands that change the configuration run in a copy of the loop, in README's order. Servers are asked once and ended.
Where a command asks, answers are typed.
"""

import importlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, environment
from tests.pipeline.conftest import Loop
from tests.prognostics.data import written
from tests.simulation.pricing.written import plain
from tests.vision.datasets.images import put, spot, texture
from twinloop import cli
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import RATE, write_audio
from twinloop.scheduling.files.example import write_example
from twinloop.scheduling.problem import Job, JobShop, Operation, Window
from twinloop.twins import registry
from twinloop.twins.factory import paths

README = (ROOT / "README.md").read_text(encoding="utf-8")
# Set-up, the tests themselves and pages that open: what make would run is shown.
SHOWN_ONLY = ("make test", "make lab", "make ui")
# For several machines: tests/faults/test_team_faults.py starts what they name.
FOR_A_TEAM = ("mlflow server", "export MLFLOW_", "dvc remote add")
SERVERS = ("python -m twinloop serve", "python -m twinloop ui")
CHANGING = ("python -m twinloop conf", "dvc exp")
FIRST_STAGE = {
    "make repro": "dvc repro factory-prepare",
    "make repro TWIN=fleet": "dvc repro fleet-prepare",
    "make repro TWIN=person": "dvc repro person-prepare",
}
# Who, documents, voice, sliders, calendar.
TYPED = {"python -m twinloop person init": "Ada\n\nnone\n\n\n"}
MINE, TILES = Path("data/source/mine"), Path("data/source/tiles")
TELEMETRY, ENGINES = Path("data/source/telemetry"), Path("data/source/cmapss")
PEOPLE = Path("data/source/person")


def readme_blocks() -> list[list[str]]:
    """What README's blocks say to type into a shell, without the comments."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", README.replace("\\\n", " "), re.MULTILINE | re.DOTALL)
    blocks = [block for language, block in fenced if not language]
    lines = [[" ".join(re.sub(r"\s+# .*$", "", line).split()) for line in block.splitlines()] for block in blocks]
    return [[line for line in block if re.match(r"(make|python -m|dvc|mlflow|export) ", line)] for block in lines]


def help_commands() -> list[str]:
    """The example of every tool and stage."""
    tools = [importlib.import_module(f"twinloop.tools.{name}") for name in cli.TOOLS]
    of_twins = [twin.tool(name) for twin in registry.chosen() for name in twin.tools]
    stages = [twin.stage(verb) for twin in registry.chosen() for verb in twin.verbs]
    return [module.EXAMPLE for module in (*tools, *of_twins, *stages)]


BLOCKS = [*readme_blocks(), *([command] for command in help_commands())]
CHANGING_BLOCKS = [block for block in BLOCKS if any(command.startswith(CHANGING) for command in block)]
COMMANDS = list(dict.fromkeys(command for block in BLOCKS if block not in CHANGING_BLOCKS for command in block))


@pytest.fixture(scope="module")
def used(loop: Loop) -> Loop:
    """The loop with a user's own files where README has them, and the environment that make looks for."""
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


def run(clone: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # What lies at home lies in the clone.
        shlex.split(command.replace(" ~/", f" {clone}/")),
        cwd=clone,
        env=environment(clone),
        input=TYPED.get(command, ""),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def assert_ran(done: subprocess.CompletedProcess[str]) -> None:
    # An alarm of the drift monitor is an answer too.
    alarmed = done.returncode == 1 and "differ from the reference" in done.stderr
    assert done.returncode == 0 or alarmed, f"{done.args}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if not c.startswith((*FOR_A_TEAM, *SERVERS))])
def test_the_command_runs_after_a_smoke_run(used: Loop, command: str) -> None:
    if "--example" in command:
        # The fixture has made it for the others.
        (used.clone / command.split()[-1]).unlink(missing_ok=True)
    assert_ran(run(used.clone, command.replace("make ", "make -n ") if command in SHOWN_ONLY else command))


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(SERVERS)])
def test_the_server_answers(used: Loop, command: str, tmp_path: Path) -> None:
    assert_answers(used.clone, command, tmp_path / "said")


def assert_answers(clone: Path, command: str, said: Path) -> None:
    """Start a server on a free port, wait for it to listen, end it; what it tells goes to `said`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [*shlex.split(re.sub(r" --port \d+", "", command)), "--port", str(port)]
    with said.open("w") as stderr:
        server = subprocess.Popen(
            words, cwd=clone, env=environment(clone), start_new_session=True, stdout=stderr, stderr=stderr
        )
        try:
            assert answers(port, server), said.read_text()[-2000:]
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def answers(port: int, server: "subprocess.Popen[bytes]") -> bool:
    """Whether something listens on the port before the server ends, or within two minutes."""
    for _ in range(240):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        if server.poll() is not None:
            return False
        time.sleep(0.5)
    return False


@pytest.fixture
def changed(used: Loop, tmp_path: Path) -> Path:
    """A copy of the loop for commands that change the configuration."""
    copy = tmp_path / "twinloop"
    shutil.copytree(used.clone, copy, symlinks=True)
    # README introduces them.
    shutil.rmtree(copy / PEOPLE)
    run(copy, "git add -A")
    run(copy, "git commit -q --allow-empty -m smoke")
    return copy


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("commands", CHANGING_BLOCKS, ids=lambda commands: commands[0])
def test_what_changes_the_configuration_runs_in_readmes_order(
    changed: Path, commands: list[str], tmp_path: Path
) -> None:
    for command in commands:
        if command.startswith(SERVERS):
            assert_answers(changed, command, tmp_path / "said")
            continue
        if "--say" in command and shutil.which("flite") is None:
            continue
        # Of a loop on other data the first stage reads them; the loop itself is run by the block of experiments.
        whole = command not in FIRST_STAGE or any(other.startswith("dvc exp") for other in commands)
        assert_ran(run(changed, command if whole else FIRST_STAGE[command]))
    if "dvc exp run --run-all" in commands:
        shown = run(changed, "dvc exp show --csv").stdout.splitlines()
        assert {"AP", "profit_per_day", "tardiness"} <= {column.rpartition(":")[2] for column in shown[0].split(",")}
        assert not any("Failed" in row or "Queued" in row for row in shown)
