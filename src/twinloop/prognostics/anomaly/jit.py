"""What detectors compare row by row, as machine code."""

from pathlib import Path

from twinloop.machine_code import compiler

HERE = Path(__file__).parent

machine_code = compiler((Path(__file__), HERE / "novelty.py", HERE / "rolling.py"))
