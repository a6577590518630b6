"""The solvers' functions as machine code."""

from pathlib import Path

from twinloop.machine_code import compiler

HERE = Path(__file__).parent
ALONE = (HERE.parent / "dispatching.py", HERE / "annealing.py", HERE / "genome.py")
SOURCES = (Path(__file__), *ALONE, *HERE.glob("local/*.py"), *HERE.glob("rich/*.py"))

machine_code = compiler(SOURCES)
# What is small and called everywhere: without it a call costs more than the function.
inlined = compiler(SOURCES, inline="always")
