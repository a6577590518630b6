"""Answer posted requests with a registered model (images, shops, …) on loopback, until stopped."""

import argparse
import os
import subprocess
from pathlib import Path

from twinloop.errors import InputError
from twinloop.ports import require_free
from twinloop.progress import say
from twinloop.twins import registry

EXAMPLE = "python -m twinloop serve --model scheduler --port 5001"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("--model", help=f"one of {', '.join(_models())} (default: the first); the twin may be left out")
    parser.add_argument("--port", type=int, default=5001)
    parser.add_argument("--version", type=int, help="of the registered model (default: the newest)")
    parser.add_argument("--json-log", action="store_true", help="the log on stderr as JSON, an object a line")
    parser.add_argument("--counters", type=Path, metavar="FILE.prom", help="keep counters for Prometheus in this file")
    parser.add_argument(
        "--traces", type=float, default=0.0, metavar="SHARE", help="of an agent's turns, kept as traces in the store"
    )


def run(options: argparse.Namespace, root: Path) -> int:
    """Serve until stopped; returns the server's exit status."""
    from twinloop.tracking import registering, store
    from twinloop.tracking.local import file_of
    from twinloop.twins import configuration

    name = _named(options.model)
    if not 0 <= options.traces <= 1:
        raise InputError(f"serve: --traces {options.traces:g}: expected a share from 0 to 1")
    if options.counters and not options.counters.absolute().parent.is_dir():
        raise InputError(
            f"serve: --counters {options.counters}: there is no such folder: make it, or name another file"
        )
    require_free(options.port, tool="serve")
    address, home = os.environ.get("MLFLOW_TRACKING_URI"), configuration.main_root(root)
    # Asking must not make a store: that takes a minute and would hold nothing.
    where = store.address(address, home)
    if where.startswith("sqlite:") and not file_of(where, home).is_file():
        raise InputError(f"serve: nothing is recorded in {configuration.store_location(root)}: run `make repro` first")
    place = store.open_store(address, home)
    version = registering.registered_version(place, name, wanted=options.version)
    say(f"serve: {name} version {version} on http://127.0.0.1:{options.port}/invocations, until Ctrl-C")
    command = registering.serve_command(name, version, port=options.port)
    command += ["--json-log"] * options.json_log
    command += ["--counters", str(options.counters.absolute())] if options.counters else []
    traced = {"MLFLOW_TRACE_SAMPLING_RATIO": str(options.traces), "MLFLOW_EXPERIMENT_NAME": name.partition("-")[0]}
    return subprocess.call(command, env=os.environ | {"MLFLOW_TRACKING_URI": place.uri} | traced)


def _models() -> list[str]:
    return [twin.registered(model) for twin in registry.chosen() for model in twin.models]


def _named(wanted: str | None) -> str:
    """The registered name of the model asked for; the first one by default."""
    known = _models()
    named = [name for name in known if wanted in (None, name, name.partition("-")[2])]
    if not named or (wanted and len(named) > 1):
        raise InputError(f"serve: --model {wanted}: expected one of {', '.join(named or known)}")
    return named[0]
