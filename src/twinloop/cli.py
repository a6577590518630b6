"""The command line: `python -m twinloop <twin> <stage>`, and tools: of the house, and of a twin.

Exit status 0 done, 1 failed, 2 wrong use. Results go to stdout, talk to stderr. What a command does
not need is not imported: the start-up of torch or MLflow costs seconds.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from twinloop import console
from twinloop.errors import InputError, TwinloopError
from twinloop.progress import say
from twinloop.twins import registry

TOOLS = registry.modules(Path(__file__).parent / "tools")


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
        return _tool(command, importlib.import_module(f"twinloop.tools.{command}"), rest)
    if command in registry.TWINS:
        return _twin(registry.find(command), rest)
    return _twins_tool(command, rest)


def _twins_tool(name: str, rest: list[str]) -> int:
    """A twin's own tool, called by its name alone."""
    twins = registry.chosen()
    owners = [twin for twin in twins if name in twin.tools]
    if len(owners) > 1:
        ways = " or ".join(f"`python -m twinloop {twin.name} {name}`" for twin in owners)
        raise InputError(f"twinloop: {len(owners)} twins have a tool {name!r}: say {ways}")
    if not owners:
        known = ", ".join((*registry.TWINS, *TOOLS, *(tool for twin in twins for tool in twin.tools)))
        raise InputError(f"twinloop: there is no twin or tool {name!r}; known: {known}")
    (twin,) = owners
    with twin.errors_in_params():
        return _tool(name, twin.tool(name), rest)


def _overview() -> str:
    twins = registry.chosen()
    lines = ["usage: python -m twinloop <twin> <stage> | <tool>", "", "twins and their stages:"]
    lines += [f"  {twin.name:<10} {' '.join(twin.verbs)}" for twin in twins]
    lines += ["", "tools:", *(_listed(name, importlib.import_module(f"twinloop.tools.{name}")) for name in TOOLS)]
    for twin in twins:
        lines += ["", f"tools of the twin {twin.name}:", *_own_tools(twin)] if twin.tools else []
    lines += ["", "Every stage and tool has --help with an example. `make repro` runs the whole loop."]
    return "\n".join(lines)


def _own_tools(twin: registry.Twin) -> list[str]:
    return [_listed(name, twin.tool(name)) for name in twin.tools]


def _listed(name: str, module: ModuleType) -> str:
    return f"  {name:<10} {(module.__doc__ or '').strip().partition(chr(10))[0]}"


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


def _twin(twin: registry.Twin, rest: list[str]) -> int:
    if not rest or rest[0] in ("-h", "--help"):
        print(f"usage: python -m twinloop {twin.name} <stage> | <tool>\n\nstages, in the order of the loop:")
        print("\n".join(_listed(verb, twin.stage(verb)) for verb in twin.verbs))
        if twin.tools:
            print("\n".join(["", "tools:", *_own_tools(twin)]))
        return 0
    name, *rest = rest
    if name in twin.tools:
        with twin.errors_in_params():
            return _tool(f"{twin.name} {name}", twin.tool(name), rest)
    module = twin.stage(name)
    _parser(f"{twin.name} {name}", (module.__doc__ or "").strip(), module.EXAMPLE).parse_args(rest)
    from twinloop.twins.runner import run_stage

    run_stage(find_root(Path.cwd()), twin, name, workers=workers())
    return 0


def _tool(called: str, module: ModuleType, rest: list[str]) -> int:
    parser = _parser(called, (module.__doc__ or "").strip(), module.EXAMPLE)
    module.arguments(parser)
    status: int = module.run(parser.parse_args(rest), find_root(Path.cwd()))
    return status
