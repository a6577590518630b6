"""Answer posted images with the registered detector, or posted shops with the scheduler, on loopback, until stopped."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from twinloop.errors import InputError
from twinloop.ports import require_free
from twinloop.progress import say

EXAMPLE = "python -m twinloop serve --model scheduler --port 5001"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("--model", choices=("detector", "scheduler"), default="detector")
    parser.add_argument("--port", type=int, default=5001)
    parser.add_argument("--version", type=int, help="of the registered model (default: the newest)")


def run(options: argparse.Namespace, root: Path) -> int:
    """Serve until stopped; returns MLflow's exit status."""
    from twinloop.tracking import serving, store
    from twinloop.tracking.local import file_of
    from twinloop.twins import configuration
    from twinloop.twins.factory.record import DETECTOR, SCHEDULER

    require_free(options.port, tool="serve")
    address, home = os.environ.get("MLFLOW_TRACKING_URI"), configuration.main_root(root)
    # Asking must not make a store: that takes a minute and would hold nothing.
    where = store.address(address, home)
    if where.startswith("sqlite:") and not file_of(where, home).is_file():
        raise InputError(f"serve: nothing is recorded in {configuration.store_location(root)}: run `make repro` first")
    place = store.open_store(address, home)
    name = {"detector": DETECTOR, "scheduler": SCHEDULER}[options.model]
    version = serving.registered_version(place, name, wanted=options.version)
    say(f"serve: {name} version {version} on http://127.0.0.1:{options.port}/invocations, until Ctrl-C")
    command = serving.serve_command(name, version, port=options.port)
    # MLflow starts `uvicorn` by name: the one beside this Python.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.call(command, env=os.environ | {"MLFLOW_TRACKING_URI": place.uri, "PATH": path})
