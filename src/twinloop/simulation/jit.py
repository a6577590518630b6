"""The simulation's functions as machine code.

They own no memory: arrays come in as arguments, none is made inside and none is returned. So nobody need count who
holds an array, and numba is told not to (_nrt): counting took three quarters of the engine's time. They are laid into
each other (forceinline): a call would pass dozens of addresses for work of a few instructions.
"""

from pathlib import Path

from twinloop.machine_code import compiler

HERE = Path(__file__).parent
ALONE = tuple(HERE / name for name in ("events/log.py", "events/tally.py", "engine/materials.py", "model/joint.py"))
SOURCES = (Path(__file__), *ALONE, *HERE.glob("compiled/*.py"))

machine_code = compiler(SOURCES, _nrt=False, forceinline=True)
