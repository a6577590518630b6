"""What features add up row by row, as machine code."""

from pathlib import Path

from twinloop.machine_code import compiler

HERE = Path(__file__).parent
SOURCES = (Path(__file__), *(HERE / f"{name}.py" for name in ("windows", "memory", "history")))

machine_code = compiler(SOURCES, _nrt=False, forceinline=True)
