"""The solvers' functions as machine code."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from twinloop.machine_code import compiler

HERE = Path(__file__).parent
BESIDE = (HERE.parent / "dispatching.py", HERE.parent / "problem" / "hours.py")
ALONE = (HERE / "annealing.py", HERE / "genome.py", HERE / "lending.py")
SOURCES = (Path(__file__), *BESIDE, *ALONE, *HERE.glob("local/*.py"), *HERE.glob("rich/*.py"))

machine_code = compiler(SOURCES)
# What is small and called everywhere: without it a call costs more than the function.
inlined = compiler(SOURCES, inline="always")


def choice(functions: Iterable[Callable[[Any], Any]]) -> Any:
    """A function of machine code (number, argument) that calls the function of this number with the argument."""
    *others, last = functions
    chosen = _always(inlined(last))
    for number, function in reversed(list(enumerate(others))):
        chosen = _either(number, inlined(function), chosen)
    return chosen


def _always(function: Callable[[Any], Any]) -> Any:
    @inlined
    def call(number, argument):  # type: ignore[no-untyped-def]
        return function(argument)

    return call


def _either(own: int, function: Callable[[Any], Any], others: Any) -> Any:
    @inlined
    def call(number, argument):  # type: ignore[no-untyped-def]
        if number == own:
            return function(argument)
        return others(number, argument)

    return call
