"""The command line: `python -m twinloop <twin> <stage>` and a few tools.

Exit status 0 done, 1 failed, 2 wrong use. Results go to stdout, talk to stderr. What a command does
not need is not imported: the start-up of torch or MLflow costs seconds.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from twinloop import console
from twinloop.errors import InputError, TwinloopError
from twinloop.progress import say
from twinloop.twins import registry

TOOLS = {
    "conf": "compose conf/ into params.yaml, or --check it",
    "repro": "bring every stage of a twin up to date and print its answer (make repro)",
    "doctor": "check this machine; or images: doctor data PATH",
    "kfold": "cross-validate the configured training by part: figures per fold, mean and interval",
    "predict": "judge an image, or every image in a folder, with the exported detector",
    "camera": "play a folder of images at a fixed takt: missed frames, latency, utilisation",
    "replay": "show a line as it was at any minute of its event log, and its key figures until then",
    "drift": "hold a folder of new images against the day the detector was measured",
    "whatif": "another machine, a longer shift, a rush order: planned and executed beside today's shop",
    "serve": "answer posted images with the registered detector, on loopback",
    "compile": "make the engines' machine code, which the first run would wait for (make setup)",
    "ui": "open the MLflow UI on loopback (make ui)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console.encode_anything()
    try:
        status = _answer(given)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        return console.abandon()


def _answer(given: list[str]) -> int:
    try:
        return _dispatch(given)
    except TwinloopError as error:
        say(str(error))
        return error.exit_code
    except OSError as error:
        line = console.disk_fault(error)
        if line is None:
            raise
        say(line)
        return 1
    except SystemExit:
        # --help: what was printed must reach a reader that may have gone.
        sys.stdout.flush()
        raise
    except KeyboardInterrupt:
        say("stopped by you; finished stages and resumable state are kept")
        return 130


def _dispatch(given: list[str]) -> int:
    if not given or given[0] in ("-h", "--help"):
        print(_overview())
        return 0
    command, *rest = given
    if command in TOOLS:
        return _tool(command, rest)
    if command in registry.TWINS:
        return _stage(registry.find(command), rest)
    known = ", ".join((*registry.TWINS, *TOOLS))
    raise InputError(f"twinloop: there is no twin or tool {command!r}; known: {known}")


def _overview() -> str:
    lines = ["usage: python -m twinloop <twin> <stage> | <tool>", "", "twins and their stages:"]
    lines += [f"  {name:<10} {' '.join(registry.VERBS)}" for name in registry.TWINS]
    lines += ["", "tools:", *(f"  {name:<10} {text}" for name, text in TOOLS.items())]
    lines += ["", "Every stage and tool has --help with an example. `make repro` runs the whole loop."]
    return "\n".join(lines)


def _parser(prog: str, description: str, example: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"python -m twinloop {prog}",
        description=description,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def find_root(start: Path) -> Path:
    """The nearest folder from `start` upwards that holds dvc.yaml. Raises InputError where there is none."""
    for folder in (start, *start.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise InputError(f"twinloop: no dvc.yaml in {start} or above: run this inside the project's folder")


def workers() -> int:
    """Worker processes to use: TWINLOOP_WORKERS, else the cores at hand. It never changes a result."""
    given = os.environ.get("TWINLOOP_WORKERS")
    if given is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not given.isdigit() or int(given) < 1:
        raise InputError(f"TWINLOOP_WORKERS = {given}: expected an integer ≥ 1")
    return int(given)


def _stage(twin: registry.Twin, rest: list[str]) -> int:
    if not rest or rest[0] in ("-h", "--help"):
        print(f"usage: python -m twinloop {twin.name} <stage>\n\nstages, in the order of the loop:")
        for verb in registry.VERBS:
            print(f"  {verb:<10} {_first_line(twin.stage(verb).__doc__)}")
        return 0
    verb = rest[0]
    module = twin.stage(verb)
    _parser(f"{twin.name} {verb}", (module.__doc__ or "").strip(), module.EXAMPLE).parse_args(rest[1:])
    from twinloop.twins.runner import run_stage

    run_stage(find_root(Path.cwd()), twin, verb, workers=workers())
    return 0


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


def _tool(name: str, rest: list[str]) -> int:
    module = importlib.import_module(f"twinloop.tools.{name}")
    parser = _parser(name, (module.__doc__ or "").strip(), module.EXAMPLE)
    module.arguments(parser)
    status: int = module.run(parser.parse_args(rest), find_root(Path.cwd()))
    return status
