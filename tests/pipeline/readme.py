"""What README and --help show to type, and how a test types it in a clone, as a user would.

Servers are asked once and ended. Where a command asks, answers are typed.
"""

import importlib
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.conftest import ROOT, environment
from twinloop import cli
from twinloop.twins import registry

README = (ROOT / "README.md").read_text(encoding="utf-8")
# Set-up, the tests themselves and pages that open: what make would run is shown.
SHOWN_ONLY = ("make test", "make lab", "make ui")
# For several machines: tests/faults/test_team_faults.py starts what they name.
FOR_A_TEAM = ("mlflow server", "export MLFLOW_", "dvc remote add")
SERVERS = ("python -m twinloop serve", "python -m twinloop ui")
CHANGING = ("python -m twinloop conf", "dvc exp")
# Who, documents, voice, sliders, calendar.
TYPED = {"python -m twinloop person init": "Ada\n\nnone\n\n\n"}


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


def run(clone: Path, command: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # What lies at home lies in the clone.
        shlex.split(command.replace(" ~/", f" {clone}/")),
        cwd=clone,
        env=environment(clone) | extra,
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


def without_port(command: str) -> str:
    """A server's command but for its port: the test gives one that is free."""
    return re.sub(r" --port \d+", "", command)


def assert_answers(clone: Path, command: str, said: Path) -> None:
    """Start a server on a free port, wait for it to listen, end it; what it tells goes to `said`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [*shlex.split(without_port(command)), "--port", str(port)]
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
