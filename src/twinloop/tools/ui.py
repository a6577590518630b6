"""Open the MLflow UI on loopback (make ui)."""

import argparse
import os
import subprocess
from pathlib import Path

from twinloop.ports import require_free
from twinloop.progress import say
from twinloop.twins import registry

EXAMPLE = "python -m twinloop ui --port 5000"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("--port", type=int, default=5000)


def run(options: argparse.Namespace, root: Path) -> int:
    """Serve until stopped; returns MLflow's exit status."""
    from twinloop.tracking import store, view
    from twinloop.twins import configuration

    require_free(options.port, tool="ui")
    address, home = os.environ.get("MLFLOW_TRACKING_URI"), configuration.main_root(root)
    command, environment = store.ui_command(address, home, port=options.port)
    opened = store.open_store(address, home)
    for twin in registry.chosen():
        view.show(opened, twin.name, twin.columns)
        say(f"{twin.name:<10} executions side by side: {store.ui_page(opened, twin.name, port=options.port)}")
    return subprocess.call(command, env=environment)
