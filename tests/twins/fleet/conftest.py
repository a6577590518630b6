"""The fleet's small loop, run once in a process of its own; every test of the twin looks at it."""

from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Once
from tests.twins.small_loop import run_apart


@pytest.fixture(scope="session")
def fleet_root(once: Once) -> Path:
    """A folder in which the stages up to schedule have run; their lines are in `printed`. Only to be read."""
    return once("fleet", partial(run_apart, "fleet"))
