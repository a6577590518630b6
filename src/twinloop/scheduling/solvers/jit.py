"""The solvers' functions as machine code."""

from pathlib import Path

from twinloop.machine_code import compiler

HERE = Path(__file__).parent
SOURCES = (Path(__file__), HERE / "annealing.py", *HERE.glob("local/*.py"), *HERE.glob("rich/*.py"))

machine_code = compiler(SOURCES)
# What is small and called everywhere: without it a call costs more than the function.
inlined = compiler(SOURCES, inline="always")
